"""Searches through the whole stack, undisturbed and with its processes killed again and again."""

import csv
import io
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.stack import Stack, wait_until

FAST: dict[str, Any] = {
    "lease_seconds": 3,
    "heartbeat_seconds": 0.5,
    "sweep_seconds": 0.5,
    "checkpoint_interval_seconds": 0.1,
    "max_attempts": 100,
}
SEARCH: dict[str, Any] = {
    "kind": "search",
    "architecture": "mlp",
    "dataset": "iris",
    "model": "found",
    "strategy": "random",
    "trials": 6,
    "parallelism": 2,
    "space": {
        "training.optimizer.learning_rate": {"low": 1e-3, "high": 1e-1, "log": True},
        "hyperparameters.hidden_dims": [[4], [8], [8, 4]],
    },
    "training": {"epochs": 4, "device": "cpu"},
}


def trials(stack: Stack, search_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.get(f"/v1/jobs/{search_id}/trials", limit=1000)["items"]
    return found


def ended(stack: Stack, search_id: str) -> int:
    return sum(trial["state"] in ("succeeded", "failed", "cancelled") for trial in trials(stack, search_id))


def require_whole(stack: Stack, search_id: str, count: int) -> dict[str, Any]:
    """The search has ended well, with exactly so many trials, each of them once."""
    job = stack.wait_for(search_id, seconds=300 + 10 * count)
    assert job["state"] == "succeeded", job["error"]
    found = trials(stack, search_id)
    assert [trial["number"] for trial in found] == list(range(count))
    assert Counter(trial["state"] for trial in found) == {"succeeded": count}
    assert all(trial["parameters"] and trial["values"] for trial in found)
    assert len(stack.get("/v1/jobs", parent_id=search_id, limit=1000)["items"]) == count
    ends = stack.http.get(f"/v1/jobs/{search_id}/logs").text
    assert all(ends.count(f" trial {number} succeeded") == 1 for number in range(count))
    assert len(stack.get(f"/v1/models/{job['request']['model']}")["versions"]) == 1
    assert job["result"]["trials"] == {"complete": count, "pruned": 0, "failed": 0}
    return job


def test_a_search_ends_with_a_model_and_a_table_of_its_trials(stack: Stack) -> None:
    search_id = stack.submit(SEARCH)["id"]
    job = require_whole(stack, search_id, 6)
    found = trials(stack, search_id)
    best = next(trial for trial in found if trial["best"])
    assert best["values"]["val_accuracy"] == max(trial["values"]["val_accuracy"] for trial in found)
    assert job["result"]["best"]["values"]["val_accuracy"] == best["values"]["val_accuracy"]
    assert job["result"]["version"] == 1
    series = stack.get(f"/v1/jobs/{search_id}/metrics")["series"]["best"]
    assert [step for step, _ in series] == [1, 2, 3, 4, 5, 6]
    assert series[-1][1] == best["values"]["val_accuracy"]
    table = stack.http.get(f"/v1/jobs/{search_id}/trials", headers={"accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [float(row["training.optimizer.learning_rate"]) for row in rows] == [
        trial["parameters"]["training.optimizer.learning_rate"] for trial in found
    ]
    assert job["links"]["trials"] == f"/v1/jobs/{search_id}/trials"


def test_a_grid_point_is_never_trained_twice_and_a_failed_trial_does_not_end_the_search(stack: Stack) -> None:
    space = {"training.optimizer.learning_rate": [1e-2, 100.0], "hyperparameters.hidden_dims": [[4], [8]]}
    sgd = {"optimizer": {"name": "sgd"}, "epochs": 4, "device": "cpu", "loss": {"name": "mse"}}
    body = {**SEARCH, "strategy": "grid", "space": space, "dataset": "diabetes", "model": "grid", "training": sgd}
    job = stack.wait_for(stack.submit({name: value for name, value in body.items() if name != "trials"})["id"])
    assert job["state"] == "succeeded", job["error"]
    found = trials(stack, job["id"])
    assert len({str(sorted(trial["parameters"].items())) for trial in found}) == 4
    failed = [trial for trial in found if trial["state"] == "failed"]
    assert {trial["error"]["code"] for trial in failed} == {"training_diverged"}
    assert all(trial["parameters"]["training.optimizer.learning_rate"] == 100.0 for trial in failed)


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path, **FAST) as running:
        yield running


def is_up(stack: Stack) -> bool:
    try:
        return stack.http.get("/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def kill_one(stack: Stack) -> None:
    """A child, a worker, the broker or the gateway."""
    name = random.choice(("child", "worker", "broker", "api"))
    if name == "child":
        stack.signal_children(signal.SIGKILL)
    else:
        stack.restart(name)
    wait_until(lambda: is_up(stack), "the gateway's readiness")


@pytest.mark.slow
def test_a_search_survives_a_kill_of_every_process_and_a_pause(fast: Stack) -> None:
    search_id = fast.submit({**SEARCH, "trials": 3})["id"]
    wait_until(fast.children, "the first trial's start")
    fast.signal_children(signal.SIGKILL)
    fast.restart("broker")
    wait_until(lambda: ended(fast, search_id) > 0, "the first trial's end", 120)
    fast.kill("worker")
    fast.restart("api")
    wait_until(lambda: is_up(fast), "the gateway's return")
    if fast.http.post(f"/v1/jobs/{search_id}/pause").status_code == 202:  # else it was being concluded
        fast.wait_for(search_id, "paused")  # by the sweeper, where the worker had a trial
        fast.http.post(f"/v1/jobs/{search_id}/resume")
    fast.start("worker")
    require_whole(fast, search_id, 3)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_fifty_kills_in_a_hundred_trials_leave_exactly_a_hundred(fast: Stack) -> None:
    body = {**SEARCH, "trials": 100, "parallelism": 3, "training": {"epochs": 24, "batch_size": 8, "device": "cpu"}}
    search_id = fast.submit(body)["id"]
    for kill in range(50):  # the last of them when about three quarters have ended: a restart lets a few go by
        wait_until(lambda: ended(fast, search_id) >= 1.5 * kill, "progress", 120)  # noqa: B023
        time.sleep(random.uniform(0, 0.3))
        kill_one(fast)
    assert ended(fast, search_id) < 100
    require_whole(fast, search_id, 100)
