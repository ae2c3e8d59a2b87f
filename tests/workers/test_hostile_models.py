"""Models that users send in, through the real stack: whatever a file does, the worker goes on."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import hostile_models as hostile
from tests.hostile_models import HOSTILE, NOT_ONNX
from tests.stack import Stack, wait_until

ANY_REFUSAL_OF_ANOTHER_FORMAT = ("not_onnx", "model_corrupt")


def send(stack: Stack, name: str, file: bytes) -> dict[str, Any]:
    """Register a file; answers its job."""
    answer = stack.http.post("/v1/models", params={"name": name}, content=file)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()["job"]
    return job


def refused(stack: Stack, job: dict[str, Any]) -> dict[str, Any]:
    """The error of a job that must fail in its first attempt."""
    ended = stack.wait_for(job["id"])
    assert (ended["state"], ended["attempt"]) == ("failed", 1), ended
    error: dict[str, Any] = ended["error"]
    return error


def assert_works(stack: Stack, name: str) -> None:
    """The next harmless file is registered."""
    ended = stack.wait_for(send(stack, name, hostile.doubler().SerializeToString())["id"])
    assert (ended["state"], ended["result"]["model"]) == ("succeeded", name), ended


def test_every_hostile_file_is_refused_once_and_the_worker_goes_on(stack: Stack) -> None:
    ingester = stack.processes["ingester"].pid
    jobs = {name: send(stack, "hostile", make().SerializeToString()) for name, (make, _) in HOSTILE.items()}
    jobs |= {name: send(stack, "hostile", file) for name, file in NOT_ONNX.items()}
    for name, job in jobs.items():
        code = refused(stack, job)["code"]
        assert code == HOSTILE[name][1] if name in HOSTILE else code in ANY_REFUSAL_OF_ANOTHER_FORMAT, name
    assert stack.http.get("/v1/models/hostile").status_code == 404
    assert_works(stack, "after-all-of-them")
    assert stack.processes["ingester"].pid == ingester
    assert stack.processes["ingester"].poll() is None
    wait_until(lambda: list(stack.settings.uploads.iterdir()) == [], "removal of the uploads", 5)


def test_a_file_that_crashes_its_reader_is_refused_at_once(stack: Stack) -> None:
    job = send(stack, "crasher", hostile.endless_loop().SerializeToString())
    stack.wait_for(job["id"], "running")
    wait_until(lambda: stack.signal_children(signal.SIGSEGV, "ingester"), "the child")
    error = refused(stack, job)
    assert error["code"] == "file_crashes"
    assert "SIGSEGV" in error["detail"]
    assert_works(stack, "after-a-crash")


def test_a_reader_that_is_killed_from_outside_gets_another_attempt(stack: Stack) -> None:
    job = send(stack, "killed", hostile.finite_loop(20_000_000).SerializeToString())
    stack.wait_for(job["id"], "running")
    wait_until(lambda: stack.signal_children(signal.SIGKILL, "ingester"), "the child")
    wait_until(lambda: stack.job(job["id"])["attempt"] == 2, "the second attempt")
    assert stack.http.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202
    assert stack.wait_for(job["id"])["state"] == "cancelled"
    assert_works(stack, "after-a-kill")


@pytest.mark.slow
def test_a_graph_that_cannot_be_told_to_stop_is_ended(stack: Stack) -> None:
    started_at = time.monotonic()
    assert refused(stack, send(stack, "slow", hostile.long_kernel().SerializeToString()))["code"] == "time_limit"
    assert time.monotonic() - started_at < 90
    assert_works(stack, "after-a-long-kernel")


def test_a_registered_model_is_shown_as_untrusted_and_its_file_is_the_one_sent(stack: Stack) -> None:
    file = hostile.doubler().SerializeToString()
    stack.wait_for(send(stack, "doubler", file)["id"])
    version = stack.get("/v1/models/doubler/versions/latest")
    assert (version["architecture"], version["dataset"], version["task"]) == (None, None, "tensors")
    assert version["signature"]["batchable"] is True
    assert stack.http.get(version["links"]["onnx"]).content == file
    (summary,) = stack.get("/v1/models/doubler")["versions"]
    assert summary["architecture"] is None


def test_a_version_for_another_task_is_refused(stack: Stack) -> None:
    job = stack.submit({**TRAIN, "model": "taken"})
    assert stack.wait_for(job["id"])["state"] == "succeeded"
    error = refused(stack, send(stack, "taken", hostile.doubler().SerializeToString()))
    assert error["code"] == "model_task_differs"


TRAIN: dict[str, Any] = {
    "kind": "train",
    "architecture": "lenet",
    "dataset": "digits",
    "training": {"epochs": 2, "device": "cpu"},
}


@pytest.fixture(scope="module")
def optimized(stack: Stack) -> dict[str, Any]:
    """The optimize job of the model `small`."""
    stack.wait_for(stack.submit({**TRAIN, "model": "small"})["id"])
    return stack.wait_for(stack.submit({"kind": "optimize", "model": "small", "max_accuracy_loss": 0.05})["id"])


def test_a_model_that_was_trained_here_moves_to_another_name(stack: Stack, optimized: dict[str, Any]) -> None:
    original = stack.get("/v1/models/small/versions/1")
    for place, href in enumerate((original["onnx"]["href"], *(each["href"] for each in original["variants"])), 1):
        ended = stack.wait_for(send(stack, "moved", stack.http.get(href).content)["id"])
        assert ended["state"] == "succeeded", ended
        moved = stack.get(f"/v1/models/moved/versions/{place}")
        assert moved["signature"] == {**original["signature"], "batchable": True}
    assert place == 4
    evaluation = stack.wait_for(stack.submit({"kind": "evaluate", "model": "moved", "dataset": "digits"})["id"])
    assert evaluation["state"] == "succeeded", evaluation
    again = stack.submit({"kind": "optimize", "model": "moved", "version": 1, "variants": ["optimized", "fp16"]})
    assert stack.wait_for(again["id"])["state"] == "succeeded"
    refusal = stack.http.post("/v1/jobs", json={"kind": "optimize", "model": "moved"})
    assert (refusal.status_code, refusal.json()["errors"][0]["loc"]) == (422, ["body", "variants"])


def test_optimized_variants_are_kept_with_their_reports(stack: Stack, optimized: dict[str, Any]) -> None:
    assert optimized["state"] == "succeeded", optimized
    results = optimized["result"]["variants"]
    assert [(each["name"], each["accepted"]) for each in results] == [
        ("optimized", True),
        ("fp16", True),
        ("int8", True),
    ]
    variants = stack.get("/v1/models/small/versions/1")["variants"]
    assert {each["name"]: each["report"] for each in variants} == {each["name"]: each["report"] for each in results}
    files: Callable[[str], bytes] = lambda path: stack.http.get(path).content  # noqa: E731
    for each in variants:
        assert len(files(each["href"])) == each["size"] == each["report"]["bytes"]["variant"]
    names = [item["name"] for item in stack.get(f"/v1/jobs/{optimized['id']}/artifacts")["items"]]
    assert names == ["fp16.onnx", "int8.onnx", "optimized.onnx", "report.json"]


def test_an_optimize_job_is_cancelled_within_ten_seconds(stack: Stack, optimized: dict[str, Any]) -> None:
    job = stack.submit({"kind": "optimize", "model": "small"})
    stack.wait_for(job["id"], "running")
    if stack.http.post(f"/v1/jobs/{job['id']}/cancel").status_code == 202:
        assert stack.wait_for(job["id"], seconds=10)["state"] == "cancelled"
