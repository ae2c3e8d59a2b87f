"""What every other server shares: the ONNX Runtime session and the decoding of an image.

`CLASSIFIER_ONNX` names the file: uint8 (N, C, H, W) in, probabilities (N, K) out; scaling, normalisation and
softmax are in the graph.
"""

import io
import os
from collections.abc import Sequence
from typing import Any

# ONNX Runtime reads it when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnxruntime
from PIL import Image

MAX_BATCH = 64


def session_options(num_threads: int = 1) -> Any:
    """`num_threads` threads an operator, which sleep when there is nothing to do."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def decode(file: bytes, channels: int) -> np.ndarray:
    """An image file, grey or in colour, as uint8 (C, H, W)."""
    image = Image.open(io.BytesIO(file))
    if channels == 1:
        return np.asarray(image.convert("L"))[None]
    return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


class Classifier:
    """The network in one session."""

    def __init__(self) -> None:
        path = os.environ["CLASSIFIER_ONNX"]
        self._session = onnxruntime.InferenceSession(path, session_options(), providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._channels = self._session.get_inputs()[0].shape[1]

    def decode(self, file: bytes) -> np.ndarray:
        """An image file of the network's own size as uint8 (C, H, W)."""
        return decode(file, self._channels)

    def run(self, images: np.ndarray) -> np.ndarray:
        """Probabilities (N, K) of images, uint8 (N, C, H, W)."""
        (probabilities,) = self._session.run(None, {self._input: images})
        return np.asarray(probabilities)

    def classify(self, files: Sequence[bytes]) -> list[dict[str, Any]]:
        """Label and probabilities of each image file, computed as one batch."""
        return [answer(row) for row in self.run(np.stack([self.decode(file) for file in files]))]


def answer(probabilities: np.ndarray) -> dict[str, Any]:
    """What a server answers for one image: the index of its class, and all probabilities (K)."""
    return {"label": int(probabilities.argmax()), "probabilities": probabilities.tolist()}
