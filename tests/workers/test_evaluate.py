"""Evaluate jobs through the real stack: from a request to figures, calibration, drift and a comparison."""

import csv
import io
from typing import Any

import plotly.io
import pytest
from PIL import Image

from tests.stack import Stack

TRAIN: dict[str, Any] = {
    "kind": "train",
    "architecture": "lenet",
    "dataset": "digits",
    "model": "evaluated",
    "training": {"epochs": 1, "device": "cpu"},
}
FIGURES = ("roc", "precision_recall", "confusion_matrix", "calibration", "drift", "comparison")


@pytest.fixture(scope="module")
def trained(stack: Stack) -> dict[str, Any]:
    """The second version of the model `evaluated`; the first was trained for an epoch, this one for five."""
    for epochs in (1, 5):
        training = {**TRAIN["training"], "epochs": epochs}
        job = stack.wait_for(stack.submit({**TRAIN, "training": training})["id"])
        assert job["state"] == "succeeded", job
    return job


def test_an_evaluation_leaves_all_that_it_promises(stack: Stack, trained: dict[str, Any]) -> None:
    body = {"kind": "evaluate", "model": "evaluated", "dataset": "digits", "hardest": 6, "against": {"version": 1}}
    job = stack.wait_for(stack.submit(body)["id"])
    assert job["state"] == "succeeded", job
    result = job["result"]
    assert result["metrics"]["accuracy"] == trained["result"]["metrics"]["accuracy"]
    version = stack.get("/v1/models/evaluated/versions/2")
    assert result["calibration"]["temperature"] == version["calibration"]["temperature"]
    assert result["drift"]["verdict"]["drift"] in ("none", "small")
    assert result["comparison"]["verdict"]["better"] == "first"
    assert [len(result["hardest"]), result["hardest"][0]["loss"] >= result["hardest"][-1]["loss"]] == [6, True]

    kept = {item["name"]: item["href"] for item in stack.get(f"/v1/jobs/{job['id']}/artifacts")["items"]}
    pictures = {f"{name}.png" for name in (*FIGURES, "hardest")}
    assert set(kept) == {*pictures, *(f"{name}.plotly.json" for name in FIGURES), "hardest.csv", "report.json"}
    for name in pictures:
        answer = stack.http.get(kept[name])
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).width > 200
    for name in FIGURES:
        assert plotly.io.from_json(stack.http.get(kept[f"{name}.plotly.json"]).text).data
    rows = list(csv.DictReader(io.StringIO(stack.http.get(kept["hardest.csv"]).text)))
    assert [row["row"] for row in rows] == [str(row["row"]) for row in result["hardest"]]


@pytest.mark.usefixtures("trained")
@pytest.mark.parametrize(
    ("given", "loc"),
    [
        ({"hardest": 101}, ["body", "hardest"]),
        ({"against": {"version": 9}}, ["body", "against", "version"]),
        ({"against": {"model": "nobody"}}, ["body", "against", "model"]),
        ({"against": {"version": 2}}, ["body", "against"]),
        ({"against": {"colour": 1}}, ["body", "against", "colour"]),
    ],
)
def test_a_bad_call_is_refused_naming_the_field(stack: Stack, given: dict[str, Any], loc: list[str]) -> None:
    body = {"kind": "evaluate", "model": "evaluated", "dataset": "digits", **given}
    refusal = stack.http.post("/v1/jobs", json=body)
    assert (refusal.status_code, refusal.json()["errors"][0]["loc"]) == (422, loc)
