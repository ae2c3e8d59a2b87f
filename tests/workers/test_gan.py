"""A generative adversarial network through the real stack: what it draws can be seen while it learns."""

import io
from typing import Any

import numpy as np
from PIL import Image

from tests.stack import Stack, wait_until

TRAIN: dict[str, Any] = {
    "kind": "train",
    "architecture": "dcgan",
    "dataset": "digits",
    "model": "drawn-digits",
    "hyperparameters": {"channels": 4, "code_dim": 8},
    "training": {"epochs": 2, "device": "cpu"},
}


def sheets(stack: Stack, job_id: str) -> list[str]:
    items = stack.get(f"/v1/jobs/{job_id}/artifacts")["items"]
    return [item["href"] for item in items if item["name"].startswith("samples-epoch-")]


def test_samples_are_told_of_before_the_end_and_stay_with_the_job(stack: Stack) -> None:
    job = stack.wait_for(stack.submit(TRAIN)["id"])
    assert job["state"] == "succeeded", job
    stream = stack.http.get(f"/v1/jobs/{job['id']}/events").text
    types = [line.removeprefix("event: ") for line in stream.splitlines() if line.startswith("event: ")]
    assert types.count("artifact") == 2
    assert "artifact" in types[: types.index("state", 2)]
    assert '"samples-epoch-0001.png"' in stream
    names = {item["name"] for item in stack.get(f"/v1/jobs/{job['id']}/artifacts")["items"]}
    assert names >= {"samples-epoch-0001.png", "samples-epoch-0002.png", "decoder.onnx", "report.json"}
    assert stack.get(f"/v1/jobs/{job['id']}/metrics")["series"].keys() >= {
        "discriminator_loss",
        "generator_loss",
        "diversity",
    }


def test_samples_of_a_running_job_can_be_looked_at_and_outlive_its_cancellation(stack: Stack) -> None:
    request = {**TRAIN, "model": "cancelled-digits", "training": {"epochs": 400, "device": "cpu", "batch_size": 64}}
    job_id = stack.submit(request)["id"]
    wait_until(lambda: sheets(stack, job_id), "a sheet of samples")
    assert stack.get(f"/v1/jobs/{job_id}")["state"] == "running"
    answer = stack.http.get(sheets(stack, job_id)[0])
    assert answer.headers["content-type"] == "image/png"
    assert np.asarray(Image.open(io.BytesIO(answer.content))).std() > 0
    stack.http.post(f"/v1/jobs/{job_id}/cancel")
    assert stack.wait_for(job_id)["state"] == "cancelled"
    assert sheets(stack, job_id)
