"""Baselines and diagnoses through the gateway and a real worker."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.stack import Stack
from tests.workers.test_fits import finished

# The split is this test's own, so that no baseline of another test is compared.
SPLIT = {"validation": 0.15, "test": 0.25, "seed": 11}


def test_a_training_is_compared_with_the_baselines_of_its_rows(stack: Stack) -> None:
    body = {"kind": "baseline", "dataset": "wine", "time_budget_seconds": 2, "training": {"split": SPLIT}}
    baseline, files = finished(stack, body)
    entries = baseline["result"]["baselines"]
    assert {entry["family"] for entry in entries} == {"random", "classical", "automl"}
    assert [entry["error"] for entry in entries] == [None] * len(entries)
    assert Image.open(io.BytesIO(files["baselines.png"])).format == "PNG"

    train: dict[str, Any] = {"kind": "train", "architecture": "logistic", "dataset": "wine", "model": "stands"}
    training = {"epochs": 3, "device": "cpu", "split": SPLIT}
    job, _ = finished(stack, {**train, "training": training})
    standing = job["result"]["baselines"]
    assert {each["name"] for each in standing} == {entry["name"] for entry in entries}
    assert {each["job"] for each in standing} == {baseline["id"]}
    best = entries[0]["metrics"]["test"]["accuracy"]
    assert standing[0]["value"] == best
    assert standing[0]["difference"] == pytest.approx(job["result"]["metrics"]["accuracy"] - best)
    assert "of the best stored baseline" in stack.http.get(f"/v1/jobs/{job['id']}/logs").text

    other, _ = finished(stack, {**train, "training": {**training, "split": {**SPLIT, "seed": 12}}})
    assert other["result"]["baselines"] == []


def test_a_diagnosis_ends_with_a_verdict_for_each_check(stack: Stack) -> None:
    body = {"kind": "diagnose", "architecture": "mlp", "dataset": "digits", "folds": 2}
    job, files = finished(stack, {**body, "training": {"epochs": 1, "device": "cpu"}})
    checks = {check["check"]: check for check in job["result"]["checks"]}
    assert list(checks) == job["request"]["checks"]
    assert {check["verdict"] for check in checks.values()} <= {"good", "suspicious", "bad"}
    assert checks["data"]["verdict"] == "good"
    assert {"report.json", "learning_rate.png", "learning_rate.plotly.json", "label_suspects.csv"} <= set(files)


def test_a_wrong_request_is_refused_with_the_field(stack: Stack) -> None:
    body = {"kind": "baseline", "dataset": "iris", "training": {"epochs": 3}}
    answer = stack.http.post("/v1/jobs", json=body)
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [["body", "training", "epochs"]]
    answer = stack.http.post(
        "/v1/jobs", json={"kind": "diagnose", "architecture": "mlp", "dataset": "iris", "checks": []}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][-1] == "checks"
