"""Predictions, whatever brought the inputs: decode, run the network, name the answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from services.errors import Invalid, UnsupportedMediaType
from services.serving import inputs
from services.serving.sessions import SessionCache

Prediction = dict[str, Any]


@dataclass(frozen=True)
class ServedModel:
    """What serving needs to know of a version: its name, its file and its signature."""

    name: str
    version: int
    onnx_sha256: str
    onnx: Path
    signature: dict[str, Any]


@dataclass(frozen=True)
class Predictions:
    """One prediction an input, in their order, and what the two steps took."""

    items: list[Prediction]
    decode_seconds: float
    infer_seconds: float


class Predictor:
    """Runs models from one cache of sessions. Safe to be used by several threads."""

    def __init__(self, max_pixels: int, sessions: SessionCache | None = None) -> None:
        self._max_pixels = max_pixels
        self._sessions = sessions or SessionCache()

    def predict_files(self, model: ServedModel, files: Sequence[bytes], top_k: int) -> Predictions:
        """Predict image files.

        Raises `UnsupportedMediaType` if the model takes no images, `Invalid`, `TooLarge` and `Unavailable`.
        """
        if model.signature["modality"] != "image":
            msg = f'Model {model.name!r} takes rows, not images; send JSON as {{"inputs": [...]}}.'
            raise UnsupportedMediaType("model_takes_rows", msg)
        started_at = time.perf_counter()
        batch = inputs.decode_images(files, model.signature["input"]["shape"], self._max_pixels)
        return self._run(model, batch, top_k, started_at)

    def predict_values(self, model: ServedModel, values: Sequence[Any], top_k: int) -> Predictions:
        """Predict values out of JSON: rows of a table, or base64 or pixel lists for images. Raises as above."""
        started_at = time.perf_counter()
        described = model.signature["input"]
        if model.signature["modality"] == "image":
            batch = inputs.decode_json_images(values, described["shape"], self._max_pixels)
        else:
            batch = inputs.decode_rows(values, described["columns"])
        return self._run(model, batch, top_k, started_at)

    def _run(self, model: ServedModel, batch: np.ndarray, top_k: int, started_at: float) -> Predictions:
        decoded_at = time.perf_counter()
        session = self._sessions.get(model.onnx_sha256, model.onnx)
        signature = model.signature
        (output,) = session.run([signature["output"]["name"]], {signature["input"]["name"]: batch})
        _check_finite(output)
        if signature["task"] == "classification":
            items = _name_classes(output, signature["labels"], top_k)
        else:
            items = [{"value": float(value)} for value in output.reshape(-1)]
        return Predictions(items, decoded_at - started_at, time.perf_counter() - decoded_at)


def _check_finite(output: np.ndarray) -> None:
    finite = np.isfinite(output).reshape(len(output), -1).all(axis=1)
    if not finite.all():
        index = int(np.argmin(finite))
        msg = "the model's answer is not a finite number; the input is far from what it was trained on"
        raise Invalid(
            "prediction_not_finite", f"inputs[{index}]: {msg}", [{"loc": ["body", "inputs", index], "msg": msg}]
        )


def _name_classes(probabilities: np.ndarray, labels: Sequence[str], top_k: int) -> list[Prediction]:
    # A stable sort, so that equal probabilities come in the order of the classes.
    ranking = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
    return [
        {
            "label": labels[order[0]],
            "index": int(order[0]),
            "probability": float(row[order[0]]),
            "top_k": [{"label": labels[place], "probability": float(row[place])} for place in order],
        }
        for row, order in zip(probabilities, ranking, strict=True)
    ]
