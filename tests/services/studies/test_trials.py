"""What is kept of trials, read of them, and more of them."""

import pytest

from services import jobs
from services.errors import Conflict, Invalid, NotFound
from services.resources import Resources
from services.studies import trials
from services.tables import Job, Trial
from tests.services.studies.searching import claim, fail, search, state, states, succeed, taken


def test_what_a_trial_was_given_first_is_kept(resources: Resources) -> None:
    search(resources)
    job = taken(resources)
    for value in (1, 2):
        with resources.database.transaction() as session:
            assert trials.is_suggested(session, job.id) == (value == 2)
            trials.suggest(session, job.id, {"training.epochs": value}, {"cma:x": value})
    with resources.database.transaction() as session:
        trial = session.get_one(Trial, job.id)
        assert (trial.parameters, trial.attributes) == ({"training.epochs": 1}, {"cma:x": 1})


def test_trials_are_listed_by_number_with_the_best_so_far(resources: Resources) -> None:
    search_id = search(resources, trials=5, parallelism=1)
    for value, pruned in ((0.5, False), (0.9, True), (0.8, False)):
        succeed(resources, taken(resources), value, pruned=pruned)
    fail(resources, taken(resources))
    with resources.database.transaction() as session:
        first = trials.listed(session, search_id, limit=3)
        rest = trials.listed(session, search_id, limit=3, after=int(first.page.next_cursor or ""))
        assert [trial.number for trial in first.page.items + rest.page.items] == [0, 1, 2, 3, 4]
        assert rest.page.next_cursor is None
        assert first.best == rest.best == {2}


def test_of_equally_good_trials_the_earliest_is_the_best_but_for_several_objectives(resources: Resources) -> None:
    goal = {"metric": "val_accuracy", "direction": "maximize"}
    for objectives, expected in (([goal], {1}), ([goal, goal], {1, 2})):
        search_id = search(resources, trials=3, parallelism=1, objectives=objectives)
        for value in (0.5, 0.8, 0.8):
            succeed(resources, taken(resources), value)
        assert claim(resources) is not None  # the search itself, to be concluded
        with resources.database.transaction() as session:
            assert trials.listed(session, search_id).best == expected


def test_a_job_of_another_kind_has_no_trials(resources: Resources) -> None:
    search(resources)
    for job_id in ("nothing", taken(resources).id):
        with pytest.raises(NotFound), resources.database.transaction() as session:
            trials.listed(session, job_id)


def add(resources: Resources, search_id: str, count: int) -> Job:
    with resources.database.transaction() as session:
        return trials.add(session, search_id, count)


def test_a_search_is_given_more_trials_until_they_are_over(resources: Resources) -> None:
    search_id = search(resources, trials=1)
    assert add(resources, search_id, 1).request["trials"] == 2
    assert states(resources, search_id) == ["queued", "queued"]
    for _ in range(2):
        succeed(resources, taken(resources))
    assert claim(resources) is not None
    with pytest.raises(Conflict, match="warm_start"):
        add(resources, search_id, 1)


def test_a_paused_search_makes_the_trials_that_it_was_given_when_it_is_resumed(resources: Resources) -> None:
    search_id = search(resources, trials=1)
    with resources.database.transaction() as session:
        jobs.pause(session, search_id)
    add(resources, search_id, 1)
    assert states(resources, search_id) == ["paused"]
    with resources.database.transaction() as session:
        jobs.resume(session, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("queued", ["queued", "queued"])


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({"strategy": "manual", "configurations": [{"training.l2": 0.1}, {"training.l2": 0.2}], "trials": 1}, 2),
        ({"strategy": "random", "trials": 9_999}, 2),
        ({"strategy": "gaussian_process", "trials": 1_000}, 1),
        (
            {
                "strategy": "grid",
                "trials": 2,
                "dimensions": [{"path": "training.epochs", "kind": "choice", "choices": [1, 2]}],
            },
            1,
        ),
    ],
)
def test_no_more_trials_than_there_are_configurations(
    resources: Resources, given: dict[str, object], count: int
) -> None:
    search_id = search(resources, **given)
    with pytest.raises(Invalid) as caught:
        add(resources, search_id, count)
    assert [error["loc"] for error in caught.value.errors] == [["body", "add"]]
    if count == 2 and given["strategy"] == "manual":
        add(resources, search_id, 1)
