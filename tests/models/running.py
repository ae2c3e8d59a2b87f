"""Data sets written with numpy and jobs run in this process, for the tests of the training engine."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.run import JobContext, Outcome, ProducedFile, Wish, run

Array = NDArray[Any]


def write_data_set(
    directory: Path,
    splits: Mapping[str, tuple[Array, Array | None]],
    *,
    classes: list[str] | None = None,
    columns: list[dict[str, Any]] | None = None,
) -> Path:
    """A data set directory: uint8 images (N, C, H, W) or float32 rows (N, F), with their targets."""
    directory.mkdir(parents=True)
    inputs, targets = splits["train"]
    image = inputs.dtype == np.uint8
    for name, (split_inputs, split_targets) in splits.items():
        np.save(directory / f"{name}.inputs.npy", split_inputs)
        if split_targets is not None:
            np.save(directory / f"{name}.targets.npy", split_targets)
    described: dict[str, Any] = {"name": "image" if image else "features", "dtype": str(inputs.dtype)}
    described["shape"] = list(inputs.shape[1:])
    if not image:
        described["columns"] = columns or [
            {"name": f"x{column}", "kind": "numeric"} for column in range(inputs.shape[1])
        ]
    target_shape = [] if targets is None else list(targets.shape[1:])
    task = "segmentation" if target_shape else "classification" if classes is not None else "regression"
    manifest: dict[str, Any] = {
        "modality": "image" if image else "tabular",
        "task": task if targets is not None else None,
        "splits": {name: {"count": len(split[0])} for name, split in splits.items()},
        "classes": classes,
        "class_counts": None,
        "input": described,
        "target": None if targets is None else {"name": "target", "dtype": str(targets.dtype), "shape": target_shape},
        "bytes": sum(path.stat().st_size for path in directory.iterdir()),
        "skipped": {"count": 0, "examples": []},
    }
    digest = hashlib.sha256(json.dumps(manifest).encode())
    for path in sorted(directory.iterdir()):
        digest.update(path.read_bytes())
    manifest["digest"] = f"sha256:{digest.hexdigest()}"
    (directory / "manifest.json").write_text(json.dumps(manifest))
    return directory


@dataclass
class Recorder:
    """A reporter that keeps what it is told, and wishes when it is asked to."""

    wish_at: Callable[["Recorder"], Wish | None] = lambda recorder: None
    fractions: list[float] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    series: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    suggestions: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    artifacts: dict[str, bytes] = field(default_factory=dict)
    polls: int = 0

    def progress(
        self, fraction: float, *, epoch: int | None = None, step: int | None = None, eta_seconds: float | None = None
    ) -> None:
        self.fractions.append(fraction)
        if step is not None:
            self.steps.append(step)

    def metric(self, series: str, step: int, value: float) -> None:
        self.series.setdefault(series, []).append((step, value))

    def log(self, message: str, *, level: str = "info") -> None:
        self.lines.append(f"{level}: {message}")

    def artifact(self, file: ProducedFile) -> None:
        self.artifacts[file.name] = file.path.read_bytes()

    def suggested(self, parameters: dict[str, Any], attributes: dict[str, Any]) -> None:
        self.suggestions.append((parameters, attributes))

    def wish(self) -> Wish | None:
        self.polls += 1
        return self.wish_at(self)


def wish_at_poll(poll: int, wish: Wish) -> Callable[[Recorder], Wish | None]:
    """Wish at the n-th time that the job asks, and from then on."""
    return lambda recorder: wish if recorder.polls >= poll else None


def decode_image(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def fit_image(image: Image.Image, channels: int, size: tuple[int, int], how: str = "crop") -> Array:
    """A plain stand-in for the service's decoder: resize without keeping the proportions."""
    pixels = np.asarray(image.convert("L" if channels == 1 else "RGB").resize(size[::-1]))
    return pixels.reshape(*size, channels).transpose(2, 0, 1)


def encode_png(pixels: Array) -> bytes:
    """Likewise for pictures: of masks, the class indices as grey."""
    buffer = BytesIO()
    if pixels.ndim == 3:
        pixels = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


# What the gateway fills in.
DEFAULTS: dict[str, dict[str, Any]] = {
    "evaluate": {"version": 1, "split": "test", "hardest": 25, "against": None, "reference": None},
    "infer": {"version": 1, "output_format": "jsonl"},
    "optimize": {
        "version": 1,
        "variants": ["optimized", "fp16", "int8"],
        "max_accuracy_loss": 0.01,
        "calibration_samples": 256,
    },
    "explain": {
        "version": 1,
        "methods": ["saliency", "integrated_gradients"],
        "split": "test",
        "samples": 8,
        "target": None,
        "layer": None,
        "seed": 0,
        "deepdream": {
            "steps": 20,
            "learning_rate": 2.0,
            "octaves": 4,
            "octave_scale": 1.4,
            "layer": None,
            "channel": None,
        },
    },
    "cross_validate": {
        "hyperparameters": {},
        "training": {},
        "method": "k_fold",
        "folds": 5,
        "p": 2,
        "test_size": 0.2,
        "shuffle": True,
        "seed": 0,
    },
    "learning_curve": {"hyperparameters": {}, "training": {}, "sizes": [0.1, 0.25, 0.5, 0.75, 1.0], "repeats": 3},
    "validation_curve": {"hyperparameters": {}, "training": {}, "repeats": 1},
    "bias_variance": {"hyperparameters": {}, "training": {}, "resamples": 20, "seed": 0},
    "baseline": {
        "families": ["random", "classical", "automl"],
        "time_budget_seconds": 2.0,
        "training": {"split": {"validation": 0.2, "test": 0.2, "seed": 0}},
        "seed": 0,
    },
    "diagnose": {
        "hyperparameters": {},
        "training": {},
        "checks": [
            "data",
            "initial_loss",
            "overfit_batch",
            "gradients",
            "activations",
            "updates",
            "learning_rate",
            "fit",
            "label_noise",
        ],
        "folds": 5,
    },
}


def context_of(
    directory: Path,
    kind: str,
    request: dict[str, Any],
    *,
    report: Recorder | None = None,
    checkpoint_interval_seconds: float = 1e9,
    **given: Any,
) -> JobContext:
    """A job's context, with its scratch and checkpoints under the directory."""
    scratch = directory / "scratch"
    checkpoints = directory / "checkpoints"
    scratch.mkdir(parents=True, exist_ok=True)
    checkpoints.mkdir(parents=True, exist_ok=True)
    return JobContext(
        kind=kind,
        request={"kind": kind, "model": "a-model", "dataset": "a-data-set", **DEFAULTS.get(kind, {}), **request},
        attempt=1,
        scratch=scratch,
        checkpoints=checkpoints,
        checkpoint_interval_seconds=checkpoint_interval_seconds,
        threads=1,
        report=report or Recorder(),
        decode_image=decode_image,
        fit_image=fit_image,
        encode_png=encode_png,
        **given,
    )


def ingested(directory: Path, upload: str | bytes | None = None, **request: Any) -> Path:
    """The data set that an upload becomes, or with `builtin` one of those."""
    directory.mkdir(parents=True, exist_ok=True)
    path = None if upload is None else directory / "upload"
    if path is not None and upload is not None:
        path.write_bytes(upload.encode() if isinstance(upload, str) else upload)
    dataset = run(context_of(directory, "ingest", request, upload=path)).dataset
    assert dataset is not None
    return dataset


def builtin(directory: Path, name: str) -> Path:
    """A built-in data set."""
    return ingested(directory, format="builtin", builtin=name)


def zipped(texts: Mapping[str, str]) -> bytes:
    """A zip of files by name."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def file(outcome: Outcome, name: str) -> Path:
    """A file that a job has left."""
    return next(each.path for each in outcome.files if each.name == name)


def of_version(outcome: Outcome) -> dict[str, Any]:
    """What a job is given that asks the version which a train job has made."""
    assert outcome.version is not None
    return {"model": file(outcome, "model.onnx"), "version": outcome.version}
