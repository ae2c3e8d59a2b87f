"""The trials of a search: what is written of them, what can be read of them, and more of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from services import transitions
from services.errors import Conflict, Invalid, NotFound
from services.pages import Page
from services.preparation.search import require_trials
from services.requests.search import MAX_TRIALS
from services.studies import course
from services.tables import Job, Trial
from shapes.search import Dimension, front, grid_size


@dataclass(frozen=True)
class TrialList:
    """Trials by number, and which of them are the best so far."""

    page: Page[Trial]
    best: set[int]


def listed(session: Session, search_id: str, *, limit: int | None = None, after: int = -1) -> TrialList:
    """At most `limit` trials, from the one after the number `after`. Raises `NotFound`, also of another kind of job."""
    search = _search(session, search_id)
    statement = select(Trial).where(Trial.search_id == search_id, Trial.number > after).order_by(Trial.number)
    rows = list(session.scalars(statement if limit is None else statement.limit(limit + 1)))
    more = limit is not None and len(rows) > limit
    items = rows[:limit]
    cursor = str(items[-1].number) if more else None
    return TrialList(Page(items, cursor), best(session, search))


def best(session: Session, search: Job) -> set[int]:
    """The number of the best completed trial so far, the earliest of equally good ones; with several objectives, the
    numbers of those that none is better than."""
    completed = select(Trial.number, Trial.values).join(Job, Trial.job_id == Job.id)
    completed = completed.where(Trial.search_id == search.id, Job.state == "succeeded", Trial.pruned.is_(False))
    values = {number: found for number, found in session.execute(completed) if found is not None}
    objectives = search.request["objectives"]
    unbeaten = front(objectives, values)
    return unbeaten if len(objectives) > 1 else set(sorted(unbeaten)[:1])


def suggest(session: Session, job_id: str, parameters: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
    """Keep what a trial was given, from its first attempt on."""
    unknown = update(Trial).where(Trial.job_id == job_id, Trial.parameters.is_(None))
    session.execute(unknown.values(parameters=parameters, attributes=attributes))


def is_suggested(session: Session, job_id: str) -> bool:
    """Whether an attempt of a trial has been given its parameters."""
    return session.get_one(Trial, job_id).parameters is not None


def record(session: Session, job_id: str, outcome: Mapping[str, Any]) -> None:
    """Keep what a trial came to: `pruned`, `values`, `intermediate` and `attributes`."""
    trial = session.get_one(Trial, job_id)
    trial.pruned, trial.values = outcome["pruned"], outcome["values"]
    trial.intermediate, trial.attributes = outcome["intermediate"], outcome["attributes"]
    session.flush()


def add(session: Session, search_id: str, count: int) -> Job:
    """Give a search more trials. Raises `NotFound`, `Conflict` when they are over, `Invalid` when there are no more."""
    _search(session, search_id)
    search = transitions.lock(session, search_id)
    if search is None or search.queue != course.QUEUE or search.is_over or search.state == "cancelling":
        raise Conflict("job_state", f"The trials of search {search_id} are over; begin another with warm_start.")
    wanted = search.request["trials"] + count
    if wanted > MAX_TRIALS:
        raise Invalid.field("too_many_trials", ["body", "add"], f"a search has at most {MAX_TRIALS:,} trials")
    require_trials(search.request["strategy"], wanted, _most(search.request), "add")
    search.request = {**search.request, "trials": wanted}
    course.advance(session, search_id)
    return search


def _search(session: Session, search_id: str) -> Job:
    job = session.get(Job, search_id)
    if job is None:
        raise NotFound("job_not_found", f"There is no job {search_id!r}.")
    if job.kind != "search":
        raise NotFound("trials_not_found", f"Job {search_id} is of kind {job.kind}; only a search has trials.")
    return job


def _most(request: Mapping[str, Any]) -> int | None:
    """How many configurations there are; None if no end of them."""
    if request["strategy"] == "manual":
        return len(request["configurations"])
    if request["strategy"] != "grid":
        return None
    return grid_size([Dimension.model_validate(each) for each in request["dimensions"]], MAX_TRIALS)
