"""Our own server: models trained and exported through the API, then the gateway alone, without a worker."""

import json
import sys
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.environments import ROOT
from tests.stack import Stack

TRAINING_SECONDS = 1800
MAX_ACCURACY_LOSS = 0.01


@dataclass(frozen=True)
class Recipe:
    """A model: its data set as it is uploaded, and the job that trains it."""

    model: str
    architecture: str
    hyperparameters: Mapping[str, Any]
    training: Mapping[str, Any]
    dataset: bytes
    dataset_options: Mapping[str, Any]
    variants: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    """Files that its job leaves and that are saved too."""


@dataclass(frozen=True)
class Trained:
    """A trained model: where its files were saved, its classes, and the report of its variants if it has any."""

    home: Path
    model: str
    onnx: Path
    labels: list[str]
    optimization: dict[str, Any] | None

    def artifact(self, name: str) -> Path:
        """A file that its job has left."""
        return self.home / f"{self.model}.{name}"


def train(home: Path, recipe: Recipe) -> Trained:
    """Upload, train and export through the API on an embedded stack; what `home` already has is taken from there."""
    onnx, record = home / f"{recipe.model}.onnx", home / f"{recipe.model}.json"
    if not record.exists():
        print(f"Training {recipe.model} on {len(recipe.dataset) // 1024:,} KiB of data", file=sys.stderr)
        with Stack(home, log_level="WARNING") as stack:
            if not _has(stack, f"/v1/datasets/{recipe.model}"):
                _upload(stack, recipe)
            if not _has(stack, f"/v1/models/{recipe.model}"):
                _train(stack, recipe)
            labels = stack.get(f"/v1/models/{recipe.model}")["labels"]
            found = {"labels": labels, "optimization": _optimize(stack, recipe) if recipe.variants else None}
            onnx.write_bytes(stack.http.get(f"/v1/models/{recipe.model}/versions/latest/onnx").content)
            job = stack.get(f"/v1/models/{recipe.model}/versions/latest")["job_id"]
            for name in recipe.artifacts:
                (home / f"{recipe.model}.{name}").write_bytes(
                    stack.http.get(f"/v1/jobs/{job}/artifacts/{name}").content
                )
            record.write_text(json.dumps(found))
    return Trained(home, recipe.model, onnx, **json.loads(record.read_text()))


def _has(stack: Stack, path: str) -> bool:
    return stack.http.get(path).is_success


def _upload(stack: Stack, recipe: Recipe) -> None:
    params = {"name": recipe.model, **recipe.dataset_options}
    answer = stack.http.post("/v1/datasets", params=params, content=recipe.dataset)
    assert answer.is_success, answer.text
    _wait(stack, answer.json()["job"])


def _train(stack: Stack, recipe: Recipe) -> None:
    job = {
        "kind": "train",
        "architecture": recipe.architecture,
        "dataset": recipe.model,
        "model": recipe.model,
        "hyperparameters": dict(recipe.hyperparameters),
        "training": dict(recipe.training),
    }
    _wait(stack, stack.submit(job))


def _optimize(stack: Stack, recipe: Recipe) -> Any:
    asked = {"model": recipe.model, "version": "latest", "variants": recipe.variants}
    return _wait(stack, stack.submit({"kind": "optimize", **asked, "max_accuracy_loss": MAX_ACCURACY_LOSS}))


def _wait(stack: Stack, job: Mapping[str, Any]) -> Any:
    ended = stack.wait_for(job["id"], seconds=TRAINING_SECONDS)
    assert ended["state"] == "succeeded", ended
    return ended["result"]


def command() -> list[str]:
    """How the gateway is started."""
    return [sys.executable, "-m", "api"]


def environment(home: Path, port: int) -> dict[str, str]:
    """Where its code is, and the settings it is started with."""
    return {"PYTHONPATH": str(ROOT), "SYLLABUS_HOME": str(home), "SYLLABUS_PORT": str(port)}


def probabilities(trained: Trained, answer: bytes) -> list[float]:
    """Every class's probability, in the classes' order, from a prediction with all of them in `top_k`."""
    (prediction,) = json.loads(answer)["predictions"]
    found = {each["label"]: each["probability"] for each in prediction["top_k"]}
    return [found[label] for label in trained.labels]


def predict_path(trained: Trained, **query: str) -> str:
    """The path of a prediction that names every class."""
    return f"/v1/models/{trained.model}/predict?{urllib.parse.urlencode({'top_k': len(trained.labels), **query})}"
