"""The trials of a search: look at them, and ask for more."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Response

from api.dependencies import JobId, Limit, Open
from api.openapi import also
from api.schemas.base import ListOf
from api.schemas.jobs import JobOut
from api.schemas.trials import TrialOut, as_csv
from api.strict_json import StrictRoute
from services.requests.search import MoreTrials
from services.studies import trials

router = APIRouter(prefix="/v1/jobs/{job}/trials", tags=["jobs"], route_class=StrictRoute)

Number = Annotated[
    str | None, Query(alias="cursor", pattern=r"^[0-9]{1,9}$", description="`next_cursor` of the page before.")
]
Format = Annotated[Literal["json", "csv"] | None, Query(description="Instead of `Accept`: json or csv.")]
JSON_OR_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


@router.get("", responses=JSON_OR_CSV, response_model=ListOf[TrialOut])
def list_trials(
    resources: Open,
    job: JobId,
    limit: Limit = 100,
    after: Number = None,
    format: Format = None,
    accept: Annotated[str, Header()] = "",
) -> ListOf[TrialOut] | Response:
    """A search's trials by number, while it runs and after; as CSV all of them, when `Accept` asks for `text/csv`."""
    csv = format == "csv" or (format is None and "text/csv" in accept)
    with resources.database.snapshot() as session:
        found = trials.listed(session, job, limit=None if csv else limit, after=-1 if after is None else int(after))
        items = [TrialOut.of(trial, found.best) for trial in found.page.items]
    if csv:
        return Response(as_csv(items), media_type="text/csv")
    return ListOf(items=items, next_cursor=found.page.next_cursor)


@router.post("", status_code=202, responses=also(409))
def add_trials(resources: Open, job: JobId, request: Annotated[MoreTrials, Body()]) -> JobOut:
    """Give a search more trials; 409 once they are over."""
    with resources.database.transaction() as session:
        return JobOut.of(trials.add(session, job, request.add))
