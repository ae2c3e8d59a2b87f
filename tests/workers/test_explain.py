"""Explain jobs through the real stack, from the weights of the train job to the pictures."""

import io
from typing import Any

import pytest
from PIL import Image

from tests.stack import Stack

TRAIN: dict[str, Any] = {
    "kind": "train",
    "architecture": "lenet",
    "dataset": "digits",
    "model": "explained",
    "training": {"epochs": 2, "device": "cpu"},
}


@pytest.fixture(scope="module")
def trained(stack: Stack) -> dict[str, Any]:
    """The train job of the model `explained`."""
    job = stack.wait_for(stack.submit(TRAIN)["id"])
    assert job["state"] == "succeeded", job
    return job


@pytest.mark.usefixtures("trained")
def test_every_method_leaves_its_pictures(stack: Stack) -> None:
    methods = ["saliency", "integrated_gradients", "occlusion", "grad_cam", "feature_maps", "kernels", "deepdream"]
    body = {"kind": "explain", "model": "explained", "methods": methods, "samples": [1]}
    job = stack.wait_for(stack.submit(body)["id"])
    assert job["state"] == "succeeded", job
    listed = {entry["name"]: entry["method"] for entry in job["result"]["artifacts"]}
    assert set(listed.values()) == set(methods)
    kept = {item["name"]: item for item in stack.get(f"/v1/jobs/{job['id']}/artifacts")["items"]}
    assert kept.keys() == {*listed, "report.json"}
    for name in listed:
        answer = stack.http.get(kept[name]["href"])
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).width > 64
    report = stack.get(f"/v1/jobs/{job['id']}/artifacts/report.json")
    assert report["samples"][0]["methods"]["integrated_gradients"]["completeness"]["complete"]


def test_a_later_version_does_not_change_what_is_explained(stack: Stack, trained: dict[str, Any]) -> None:
    version = trained["result"]["version"]
    stack.wait_for(stack.submit({**TRAIN, "training": {**TRAIN["training"], "seed": 1}})["id"])
    body = {"kind": "explain", "model": "explained", "methods": ["kernels"], "samples": 1}
    largest = []
    for number in (version, version + 1):
        job = stack.wait_for(stack.submit({**body, "version": number})["id"])
        report = stack.get(f"/v1/jobs/{job['id']}/artifacts/report.json")
        largest.append(report["methods"]["kernels"]["largest"])
    assert largest[0] != largest[1]


def test_a_file_that_was_sent_in_has_no_network_to_look_into(stack: Stack, trained: dict[str, Any]) -> None:
    onnx = stack.http.get(f"/v1/models/explained/versions/{trained['result']['version']}/onnx").content
    sent = stack.http.post("/v1/models", params={"name": "explained-elsewhere"}, content=onnx)
    assert stack.wait_for(sent.json()["job"]["id"])["state"] == "succeeded"
    refusal = stack.http.post("/v1/jobs", json={"kind": "explain", "model": "explained-elsewhere"})
    assert (refusal.status_code, refusal.json()["errors"][0]["loc"]) == (422, ["body", "model"])
    assert "train" in refusal.json()["detail"]


@pytest.mark.usefixtures("trained")
def test_a_layer_that_is_not_there_ends_the_job_naming_those_that_are(stack: Stack) -> None:
    body = {"kind": "explain", "model": "explained", "methods": ["grad_cam"], "layer": "conv9"}
    job = stack.wait_for(stack.submit(body)["id"])
    assert (job["state"], job["attempt"], job["error"]["code"]) == ("failed", 1, "unknown_layer")
    assert "features.0, features.3" in job["error"]["detail"]
