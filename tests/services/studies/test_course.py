"""A search moves on with its trials, whatever becomes of them; the same on both databases."""

import threading
import time
from typing import Any

import pytest

from services import events, jobs, lifecycle
from services.errors import Conflict
from services.resources import Resources
from services.studies import course
from services.tables import Job
from tests.services.studies.searching import (
    claim,
    fail,
    history,
    numbers,
    search,
    state,
    states,
    succeed,
    taken,
)
from tests.stack import wait_until


def wish(resources: Resources, verb: Any, job_id: str) -> None:
    with resources.database.transaction() as session:
        verb(session, job_id)


def test_a_search_waits_for_as_many_trials_as_it_has_at_a_time(resources: Resources) -> None:
    before = resources.doorbell.depth("cpu")
    search_id = search(resources)
    assert states(resources, search_id) == ["queued", "queued"]
    assert resources.doorbell.depth("cpu") == before + 2
    assert resources.doorbell.depth(course.QUEUE) == 0
    assert taken(resources).request == {"kind": "trial", "search": search_id, "number": 0}
    assert history(resources, search_id) == ["queued", "running"]


def test_each_end_makes_the_next_trial_until_all_are_made_and_then_the_search_is_concluded(
    resources: Resources,
) -> None:
    search_id = search(resources)
    for value in (0.5, 0.7, 0.6):
        succeed(resources, taken(resources), value)
        assert state(resources, search_id) == "running"
    last = taken(resources)
    fail(resources, last)
    assert states(resources, search_id) == ["succeeded"] * 3 + ["failed"]
    concluding = taken(resources)
    assert (concluding.id, concluding.queue, concluding.attempt) == (search_id, "cpu", 1)
    assert history(resources, search_id) == ["queued", "running", "queued", "running"]


def test_those_who_follow_the_search_are_told_of_every_end_and_of_the_best_so_far(resources: Resources) -> None:
    search_id = search(resources)
    for value, pruned in ((0.5, False), (0.9, True), (0.7, False), (0.6, False)):
        succeed(resources, taken(resources), value, pruned=pruned)
    with resources.database.transaction() as session:
        assert events.series(session, search_id) == {"best": [(1, 0.5), (2, 0.5), (3, 0.7), (4, 0.7)]}
        told = [event.data["fraction"] for event in events.read(session, search_id, 0) if event.type == "progress"]
    assert told == [0.2, 0.4, 0.6, 0.8]  # the fifth part is the conclusion's


def test_a_trial_that_dies_again_and_again_is_a_failed_one_and_the_next_is_made(resources: Resources) -> None:
    search_id = search(resources, parallelism=1)
    for _ in range(2):
        job = taken(resources)
        with resources.database.transaction() as session:
            lifecycle.interrupt(session, job.id, "SIGKILL", max_attempts=2, token=job.lease_token)
    assert states(resources, search_id) == ["failed", "queued"]


def test_two_trials_that_end_at_the_same_moment_make_two_more_and_no_number_twice(resources: Resources) -> None:
    search_id = search(resources, trials=40, parallelism=4)

    def work() -> None:
        while (job := claim(resources)) is not None and job.kind == "trial":
            succeed(resources, job)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work()  # what was made after a thread had found nothing
    assert numbers(resources, search_id) == list(range(40))
    assert set(states(resources, search_id)) == {"succeeded"}
    assert history(resources, search_id) == ["queued", "running", "queued", "running"]


def test_too_many_failures_end_the_search_with_the_last_cause(resources: Resources) -> None:
    search_id = search(resources, max_failures=2, parallelism=3, trials=9)
    first, second, third = (taken(resources) for _ in range(3))
    fail(resources, first)
    assert state(resources, search_id) == "running"
    fail(resources, second, "ran out of memory")
    with resources.database.transaction() as session:
        ended = session.get_one(Job, search_id)
        assert (ended.state, (ended.error or {})["code"]) == ("failed", "too_many_failures")
        assert "ran out of memory" in str(ended.error)
    assert states(resources, search_id) == ["failed", "failed", "cancelling", "cancelled"]
    fail(resources, third)
    assert states(resources, search_id) == ["failed", "failed", "cancelled", "cancelled"]


def test_after_the_time_budget_no_trial_begins_and_those_under_way_finish(resources: Resources) -> None:
    search_id = search(resources, time_budget_seconds=0.05)
    first, second = taken(resources), taken(resources)
    time.sleep(0.1)
    succeed(resources, first)
    assert (state(resources, search_id), len(states(resources, search_id))) == ("running", 2)
    succeed(resources, second)
    assert taken(resources).id == search_id


def test_trials_that_wait_when_the_time_budget_is_over_do_not_begin(resources: Resources) -> None:
    search_id = search(resources, trials=4, parallelism=4, time_budget_seconds=0.05)
    first = taken(resources)
    time.sleep(0.1)
    succeed(resources, first)
    assert states(resources, search_id) == ["succeeded", "cancelled", "cancelled", "cancelled"]
    assert taken(resources).id == search_id


def test_a_paused_search_rests_once_its_running_trials_do_and_loses_nothing(resources: Resources) -> None:
    search_id = search(resources)
    running = taken(resources)
    wish(resources, jobs.pause, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("pausing", ["pausing", "paused"])
    with resources.database.transaction() as session:
        lifecycle.interrupt(session, running.id, "paused", max_attempts=3, charged=False, token=running.lease_token)
    assert (state(resources, search_id), states(resources, search_id)) == ("paused", ["paused", "paused"])
    assert claim(resources) is None
    with pytest.raises(Conflict, match="resume that"):
        wish(resources, jobs.resume, running.id)
    wish(resources, jobs.resume, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("queued", ["queued", "queued"])
    for _ in range(4):
        succeed(resources, taken(resources))
    assert taken(resources).id == search_id


def test_a_search_that_no_worker_has_begun_is_paused_and_resumed_at_once(resources: Resources) -> None:
    search_id = search(resources)
    wish(resources, jobs.pause, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("paused", ["paused", "paused"])
    wish(resources, jobs.resume, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("queued", ["queued", "queued"])


def test_trials_that_end_while_a_search_is_being_paused_are_followed_by_others_when_it_is_resumed(
    resources: Resources,
) -> None:
    search_id = search(resources, parallelism=1, trials=2)
    for made in (1, 2):
        running = taken(resources)
        wish(resources, jobs.pause, search_id)
        succeed(resources, running)
        assert (state(resources, search_id), len(states(resources, search_id))) == ("paused", made)
        wish(resources, jobs.resume, search_id)
    assert taken(resources).id == search_id


def test_cancel_sticks_to_a_search_and_all_its_trials(resources: Resources) -> None:
    search_id = search(resources)
    running = taken(resources)
    wish(resources, jobs.cancel, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("cancelling", ["cancelling", "cancelled"])
    succeed(resources, running)
    assert (state(resources, search_id), states(resources, search_id)) == ("cancelled", ["cancelled", "cancelled"])
    assert claim(resources) is None


@pytest.mark.parametrize("first", [jobs.pause, None], ids=["paused", "queued"])
def test_a_search_at_rest_is_cancelled_at_once(resources: Resources, first: Any) -> None:
    search_id = search(resources)
    if first is not None:
        wish(resources, first, search_id)
    wish(resources, jobs.cancel, search_id)
    assert (state(resources, search_id), states(resources, search_id)) == ("cancelled", ["cancelled", "cancelled"])


def test_one_trial_can_be_paused_and_cancelled_by_itself(resources: Resources) -> None:
    search_id = search(resources)
    first, second = taken(resources), taken(resources)
    succeed(resources, second)
    wish(resources, jobs.pause, first.id)
    with resources.database.transaction() as session:
        lifecycle.interrupt(session, first.id, "paused", max_attempts=3, charged=False, token=first.lease_token)
    assert states(resources, search_id) == ["paused", "succeeded", "queued"]
    succeed(resources, taken(resources))
    succeed(resources, taken(resources))
    assert claim(resources) is None  # the paused one is still to come
    wish(resources, jobs.cancel, first.id)
    assert taken(resources).id == search_id


@pytest.mark.parametrize("verb", [jobs.cancel, jobs.pause], ids=["cancel", "pause"])
def test_wishes_that_race_with_the_ends_of_trials_reach_all_of_them(resources: Resources, verb: Any) -> None:
    search_id = search(resources, trials=10_000, parallelism=3)
    stop, failures = threading.Event(), list[BaseException]()

    def work() -> None:
        try:
            while not stop.is_set():
                if (job := claim(resources)) is not None:
                    succeed(resources, job)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    end = "cancelled" if verb is jobs.cancel else "paused"
    for _ in range(1 if verb is jobs.cancel else 5):
        time.sleep(0.05)
        wish(resources, verb, search_id)
        wait_until(lambda: state(resources, search_id) == end, f"the search being {end}")
        if verb is jobs.pause:
            wish(resources, jobs.resume, search_id)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    found = states(resources, search_id)
    assert set(found) <= {"succeeded", "queued" if verb is jobs.pause else "cancelled"}
    assert numbers(resources, search_id) == list(range(len(found)))
