"""Jobs that train many times, through the whole stack."""

import csv
import io
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.stack import Stack, wait_until

SMALL: dict[str, Any] = {"epochs": 3, "device": "cpu"}
FOLDS: dict[str, Any] = {
    "kind": "cross_validate",
    "architecture": "lenet",
    "dataset": "digits",
    "method": "stratified_k_fold",
    "folds": 4,
    "hyperparameters": {"dropout": 0.2},
    "training": {"epochs": 6, "batch_size": 16, "device": "cpu"},
}


def finished(stack: Stack, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A job's record at its end, which must be a good one, and its files."""
    job = stack.wait_for(stack.submit(body)["id"])
    assert job["state"] == "succeeded", job["error"]
    listed = stack.get(f"/v1/jobs/{job['id']}/artifacts")["items"]
    return job, {item["name"]: stack.http.get(item["href"]).content for item in listed}


def test_cross_validation_ends_with_estimates_and_predictions(stack: Stack) -> None:
    body = {
        "kind": "cross_validate",
        "architecture": "mlp",
        "dataset": "iris",
        "method": "stratified_k_fold",
        "folds": 5,
    }
    job, files = finished(stack, {**body, "training": {"epochs": 30, "device": "cpu"}})
    accuracy = job["result"]["metrics"]["accuracy"]
    assert accuracy["interval"][0] < accuracy["mean"] < accuracy["interval"][1]
    assert set(files) == {"report.json", "predictions.csv"}
    assert len(list(csv.DictReader(io.StringIO(files["predictions.csv"].decode())))) == 150
    assert len(stack.get(f"/v1/jobs/{job['id']}/metrics")["series"]["accuracy"]) == 5
    assert "model" not in job["links"]


def test_curves_end_with_numbers_and_a_picture(stack: Stack) -> None:
    sizes = {"kind": "learning_curve", "architecture": "logistic", "dataset": "iris", "sizes": [0.2, 1], "repeats": 2}
    degrees = {"kind": "validation_curve", "architecture": "linear", "dataset": "diabetes", "values": [1, 3]}
    for body in (sizes, degrees | {"parameter": "hyperparameters.degree"}):
        job, files = finished(stack, {**body, "training": SMALL})
        curves = job["result"]["curves"]
        assert all(len(curve[part]["mean"]) == 2 for curve in curves.values() for part in ("train", "validation"))
        assert Image.open(io.BytesIO(files["curves.png"])).format == "PNG"


def test_bias_and_variance_are_told_apart(stack: Stack) -> None:
    body = {"kind": "bias_variance", "architecture": "linear", "dataset": "diabetes", "resamples": 4}
    result = finished(stack, {**body, "training": SMALL})[0]["result"]
    assert result["error"] == pytest.approx(result["bias_squared"] + result["variance"])


@pytest.fixture
def fast(tmp_path: Path) -> Iterator[Stack]:
    settings: dict[str, Any] = {"lease_seconds": 3, "heartbeat_seconds": 0.5, "sweep_seconds": 0.5}
    with Stack(tmp_path, checkpoint_interval_seconds=0.2, max_attempts=10, **settings) as running:
        yield running


@pytest.mark.slow
def test_killed_and_paused_it_ends_with_the_same_predictions(fast: Stack) -> None:
    undisturbed = finished(fast, FOLDS)[1]["predictions.csv"]
    job_id = fast.submit(FOLDS)["id"]

    def fraction() -> float:
        return float(fast.job(job_id)["progress"]["fraction"])

    for share in (0.1, 0.35, 0.6):
        wait_until(lambda: fraction() >= share, f"progress of {share:.0%}")  # noqa: B023
        assert fast.signal_children(signal.SIGKILL) == 1
    wait_until(lambda: fraction() >= 0.8, "progress of 80%")
    fast.http.post(f"/v1/jobs/{job_id}/pause")
    fast.wait_for(job_id, "paused")
    fast.http.post(f"/v1/jobs/{job_id}/resume")
    job = fast.wait_for(job_id)
    assert (job["state"], job["attempt"]) == ("succeeded", 4)  # a pause is not charged
    listed = fast.get(f"/v1/jobs/{job_id}/artifacts")["items"]
    href = next(item["href"] for item in listed if item["name"] == "predictions.csv")
    assert fast.http.get(href).content == undisturbed
    log = fast.http.get(f"/v1/jobs/{job_id}/logs").text
    assert [log.count(f"fold {number} of 4: accuracy") for number in (1, 2, 3, 4)] == [1, 1, 1, 1]
