"""What an explain request is refused for, by the real gateway, before anything is queued."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from services.tables import Dataset, JobArtifact
from tests.api.conftest import add_dataset, add_version, opened
from tests.models.running import DEFAULTS
from tests.serving_models import image_classifier, image_signature, tabular_regressor, tabular_signature

IMAGES: dict[str, Any] = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 4}},
    "classes": ["dark", "middle", "bright"],
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]},
}
ROWS: dict[str, Any] = {
    **IMAGES,
    "modality": "tabular",
    "task": "regression",
    "classes": None,
    "input": tabular_signature()["input"],
}


@pytest.fixture
def gateway(lite_client: TestClient, tmp_path: Path) -> TestClient:
    """With the models `shades` of images and `prices` of a table, both trained here, and `sent-in`, which was not."""
    resources = opened(lite_client)
    images = {"train.inputs": np.zeros((4, 1, 2, 2), np.uint8)}
    for name, manifest in (("digits", IMAGES), ("rows", ROWS), ("other", IMAGES)):
        add_dataset(resources, name, images, manifest)
    with resources.database.transaction() as session:
        digests = {row.name: (row.manifest or {})["digest"] for row in session.query(Dataset)}
    (tmp_path / "weights").write_bytes(b"weights")
    stored = resources.artifacts.put(tmp_path / "weights")
    made = {
        "shades": add_version(
            resources, "shades", image_classifier(), image_signature(), dataset_digest=digests["digits"]
        ),
        "prices": add_version(
            resources, "prices", tabular_regressor(), tabular_signature(), dataset_digest=digests["digits"]
        ),
    }
    masks = {**image_signature(), "task": "segmentation"}
    made["masks"] = add_version(resources, "masks", image_classifier(), masks, dataset_digest=digests["digits"])
    add_version(resources, "sent-in", image_classifier(), image_signature(), dataset_digest=digests["digits"])
    with resources.database.transaction() as session:
        for version in made.values():
            session.add(
                JobArtifact(
                    job_id=version.job_id,
                    name="weights.safetensors",
                    sha256=stored.sha256,
                    size=stored.size,
                    media_type="application/octet-stream",
                )
            )
    return lite_client


def test_a_request_is_filled_in_and_fixed(gateway: TestClient) -> None:
    response = gateway.post(
        "/v1/jobs", json={"kind": "explain", "model": "shades", "methods": ["kernels", "saliency", "kernels"]}
    )
    assert response.status_code == 202, response.text
    job = response.json()
    assert (job["kind"], job["links"]["dataset"]) == ("explain", "/v1/datasets/digits")
    assert job["request"] == {
        **DEFAULTS["explain"],
        "kind": "explain",
        "model": "shades",
        "methods": ["kernels", "saliency"],
        "dataset": "digits",
    }


@pytest.mark.parametrize(
    ("change", "loc", "said"),
    [
        ({"model": "nobody"}, ["model"], "nobody"),
        ({"version": 9}, ["version"], "no version '9'"),
        ({"model": "sent-in"}, ["model"], "train"),
        ({"model": "masks"}, ["model"], "segmentation"),
        ({"methods": []}, ["methods"], ""),
        ({"methods": ["salience"]}, ["methods"], "saliency"),
        ({"model": "prices", "dataset": "rows", "methods": ["saliency", "grad_cam"]}, ["methods"], "grad_cam"),
        ({"model": "prices", "dataset": "rows", "methods": ["occlusion"]}, ["methods"], "integrated_gradients"),
        ({"model": "prices", "dataset": "rows", "target": "berlin"}, ["target"], "regression"),
        ({"dataset": "nowhere"}, ["dataset"], "nowhere"),
        ({"dataset": "rows"}, ["dataset"], "tabular"),
        ({"split": "all"}, ["split"], "test"),
        ({"target": "grey"}, ["target"], "dark, middle, bright"),
        ({"samples": 0}, ["samples"], "greater"),
        ({"samples": 65}, ["samples"], "64"),
        ({"samples": []}, ["samples"], ""),
        ({"samples": [-1]}, ["samples"], ""),
        ({"samples": list(range(65))}, ["samples"], "64"),
        ({"seed": -1}, ["seed"], ""),
        ({"layer": ""}, ["layer"], ""),
        ({"deepdream": {"steps": 201}}, ["deepdream", "steps"], "200"),
        ({"deepdream": {"learning_rate": 0}}, ["deepdream", "learning_rate"], "greater"),
        ({"deepdream": {"octaves": 9}}, ["deepdream", "octaves"], "8"),
        ({"deepdream": {"octave_scale": 1.0}}, ["deepdream", "octave_scale"], "1.1"),
        ({"deepdream": {"channel": -1}}, ["deepdream", "channel"], "0"),
        ({"deepdream": {"iterations": 3}}, ["deepdream", "iterations"], ""),
        ({"method": "saliency"}, ["method"], ""),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else "",
)
def test_a_wrong_field_is_named(gateway: TestClient, change: dict[str, Any], loc: list[str | int], said: str) -> None:
    response = gateway.post("/v1/jobs", json={"kind": "explain", "model": "shades", **change})
    assert response.status_code == 422, response.text
    body = response.json()
    assert {tuple(error["loc"][: len(loc) + 1]) for error in body["errors"]} == {("body", *loc)}
    assert said in response.text
    assert gateway.get("/v1/jobs", params={"kind": "explain"}).json()["items"] == []


def test_data_that_is_gone_must_be_replaced_by_other(gateway: TestClient) -> None:
    with opened(gateway).database.transaction() as session:
        digits = next(dataset for dataset in session.query(Dataset) if dataset.name == "digits")
        digits.manifest = {**(digits.manifest or {}), "digest": "sha256:changed"}
    gone = gateway.post("/v1/jobs", json={"kind": "explain", "model": "shades"})
    assert (gone.status_code, gone.json()["errors"][0]["loc"]) == (422, ["body", "dataset"])
    other = gateway.post("/v1/jobs", json={"kind": "explain", "model": "shades", "dataset": "other"})
    assert (other.status_code, other.json()["request"]["dataset"]) == (202, "other")
