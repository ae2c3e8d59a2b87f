"""The main job on real data sets, through the API: `docs/results.md` records what these runs gave."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.stack import Stack

pytestmark = pytest.mark.slow


def upload(stack: Stack, name: str, content: bytes, **options: Any) -> dict[str, Any]:
    """Upload a data set and wait until it is ready."""
    answer = stack.http.post("/v1/datasets", params={"name": name, **options}, content=content)
    assert answer.status_code == 202, answer.text
    job = stack.wait_for(answer.json()["job"]["id"])
    assert job["state"] == "succeeded", job
    dataset: dict[str, Any] = stack.get(f"/v1/datasets/{name}")
    assert dataset["state"] == "ready"
    return dataset


def idx_zip(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.glob("*-ubyte.gz")):
            archive.write(path, path.name)
    return buffer.getvalue()


def test_lenet_reaches_89_percent_on_fashion_mnist(stack: Stack, test_data: Path) -> None:
    dataset = upload(stack, "fashion-mnist", idx_zip(test_data / "fashion-mnist"))
    assert {name: split["count"] for name, split in dataset["splits"].items()} == {"train": 60_000, "test": 10_000}
    training = {
        "epochs": 12,
        "batch_size": 64,
        "optimizer": {"name": "adam", "learning_rate": 0.002},
        "scheduler": {"name": "cosine"},
        "split": {"validation": 0.1},
    }
    job = stack.submit(
        {
            "kind": "train",
            "architecture": "lenet",
            "dataset": "fashion-mnist",
            "model": "fashion",
            "hyperparameters": {"activation": "relu"},
            "training": training,
        }
    )
    ended = stack.wait_for(job["id"], seconds=900)
    assert ended["state"] == "succeeded", ended
    print("fashion-mnist, lenet:", ended["result"])
    assert ended["result"]["metrics"]["accuracy"] >= 0.89
    assert ended["result"]["baseline"]["accuracy"] <= 0.15
    evaluation = stack.submit({"kind": "evaluate", "model": "fashion", "dataset": "fashion-mnist"})
    measured = stack.wait_for(evaluation["id"])["result"]["metrics"]
    assert measured["accuracy"] == pytest.approx(ended["result"]["metrics"]["accuracy"], abs=1e-9)


def test_flower_photos_of_mixed_sizes_train_and_predict(stack: Stack, test_data: Path) -> None:
    path = test_data / "flowers" / "flower_photos_subset.tar.gz"
    dataset = upload(stack, "flowers", path.read_bytes())
    assert dataset["modality"] == "image"
    assert len(dataset["classes"]) == 5
    with tarfile.open(path) as archive:
        member = next(member for member in archive if "/val/" in member.name and member.name.endswith(".jpg"))
        photo = archive.extractfile(member)
        assert photo is not None
        jpeg = photo.read()
    job = stack.submit(
        {
            "kind": "train",
            "architecture": "lenet",
            "dataset": "flowers",
            "model": "flowers",
            "training": {"epochs": 20, "batch_size": 16, "augmentation": ["flip", "crop"]},
        }
    )
    ended = stack.wait_for(job["id"], seconds=300)
    assert ended["state"] == "succeeded", ended
    print("flowers, lenet:", ended["result"])
    assert ended["result"]["metrics"]["accuracy"] > ended["result"]["baseline"]["accuracy"]
    answer = stack.http.post("/v1/models/flowers/predict", content=jpeg, headers={"content-type": "image/jpeg"})
    assert answer.status_code == 200, answer.text
    (prediction,) = answer.json()["predictions"]
    assert prediction["label"] in dataset["classes"]
    assert 0.2 <= prediction["probability"] <= 1.0
