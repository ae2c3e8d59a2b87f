"""The SDK's entry: one object for one service."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from client.datasets import Datasets
from client.http import Connection, Json, path_of
from client.jobs import Jobs
from client.models import Models, Version

DEFAULT_URL = "http://127.0.0.1:8000"

# What an image file begins with (its format's own specification), and its media type.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


class Syllabus:
    """A Syllabus service.

    Records are the dicts of the HTTP contract. `base_url` and `api_key` default to the environment's
    `SYLLABUS_URL` and `SYLLABUS_API_KEY`. Every method raises ApiError when the service refuses or fails
    and Unreachable when it does not answer. Close it, or use it in a `with` block.
    """

    def __init__(self, base_url: str | None = None, api_key: str | None = None, timeout: float = 30.0) -> None:
        """`timeout`: seconds to wait for any one step of a request."""
        url = base_url or os.environ.get("SYLLABUS_URL") or DEFAULT_URL
        self._connection = Connection(url, api_key or os.environ.get("SYLLABUS_API_KEY"), timeout)
        self.base_url = self._connection.base_url
        self.datasets = Datasets(self._connection)
        self.jobs = Jobs(self._connection)
        self.models = Models(self._connection)

    def __enter__(self) -> "Syllabus":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def system(self) -> Json:
        """The service's version, devices and workers."""
        return self._connection.json("GET", path_of("system"))

    def is_ready(self) -> bool:
        """Whether the service says that it, its database and its broker are ready."""
        return self._connection.is_ok("/health/ready")

    def architectures(self, task: str | None = None) -> list[Json]:
        """The architectures of the syllabus, optionally those for one task."""
        return list(self._connection.items(path_of("architectures"), {"task": task}))

    def architecture(self, name: str) -> Json:
        """One architecture, with the JSON Schema of its hyperparameters."""
        return self._connection.json("GET", path_of("architectures", name))

    def train(
        self,
        architecture: str,
        dataset: str,
        model: str | None = None,
        *,
        hyperparameters: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> Json:
        """Submit a training job and return it; the result becomes a new version of `model`."""
        request: Json = {"kind": "train", "architecture": architecture, "dataset": dataset}
        request |= {"model": model} if model else {}
        request |= {"hyperparameters": dict(hyperparameters or {}), "training": dict(training or {})}
        return self.jobs.submit(request)

    def evaluate(self, model: str, dataset: str, *, version: Version = "latest", split: str = "test") -> Json:
        """Submit a job that measures a version on a split of a labelled data set, and return it."""
        return self.jobs.submit(
            {"kind": "evaluate", "model": model, "version": version, "dataset": dataset, "split": split}
        )

    def infer(self, model: str, dataset: str, *, version: Version = "latest", output_format: str = "jsonl") -> Json:
        """Submit a job that predicts every sample of a data set into a file, and return it."""
        return self.jobs.submit(
            {
                "kind": "infer",
                "model": model,
                "version": version,
                "dataset": dataset,
                "output_format": output_format,
            }
        )

    def optimize(
        self,
        model: str,
        *,
        version: Version = "latest",
        variants: Sequence[str] = ("optimized", "fp16", "int8"),
        max_accuracy_loss: float = 0.01,
        calibration_samples: int = 256,
    ) -> Json:
        """Submit a job that makes smaller or faster files of a version, and return it.

        It keeps those that lose at most `max_accuracy_loss` of accuracy, or of R², on the held-out rows.
        """
        return self.jobs.submit(
            {
                "kind": "optimize",
                "model": model,
                "version": version,
                "variants": list(variants),
                "max_accuracy_loss": max_accuracy_loss,
                "calibration_samples": calibration_samples,
            }
        )

    def predict(
        self,
        model: str,
        inputs: str | Path | bytes | Sequence[Any],
        *,
        version: Version = "latest",
        top_k: int | None = None,
    ) -> Json:
        """Predict now. Returns `{"model", "version", "predictions": [...]}`, an answer an input.

        `inputs` is an image (a path or its bytes), several image paths, or rows of features.
        """
        params: dict[str, Any] = {"version": version} | ({"top_k": top_k} if top_k is not None else {})
        return self._connection.json(
            "POST", path_of("models", model, "predict"), params=params, repeatable=True, **_prediction_body(inputs)
        )


def _prediction_body(inputs: str | Path | bytes | Sequence[Any]) -> dict[str, Any]:
    """httpx's options for a body that the predict route reads: image, multipart or JSON."""
    if isinstance(inputs, str | Path):
        inputs = Path(inputs).read_bytes()
    if isinstance(inputs, bytes):
        return {"content": inputs, "headers": {"Content-Type": media_type(inputs)}}
    paths = [item for item in inputs if isinstance(item, Path)]
    if paths and len(paths) == len(inputs):
        images = [(path.name, path.read_bytes()) for path in paths]
        return {"files": [("file", (name, image, media_type(image))) for name, image in images]}
    return {"json": {"inputs": list(inputs)}}


def media_type(image: bytes) -> str:
    """The media type of an image by its first bytes; `application/octet-stream` when they are unknown."""
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if image.startswith(start)), "application/octet-stream")
