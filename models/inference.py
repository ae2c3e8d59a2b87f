"""A model version's ONNX file run by ONNX Runtime, in batches, as training, evaluation and inference do."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import JobError

# Read by ONNX Runtime when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

BATCH_SIZE = 256


class Session:
    """An ONNX graph with one input and one output, on the CPU.

    Raises:
        JobError: `model_invalid`, ONNX Runtime cannot load the file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            # From bytes, so that no tensor is read from a path that the file names.
            self._session = ort.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise JobError("model_invalid", "ONNX Runtime cannot load this model's file.") from error
        self._input = self._session.get_inputs()[0].name

    def run(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """The answers (N, ...) for raw inputs (N, ...)."""
        answers: NDArray[Any] = self._session.run(None, {self._input: np.ascontiguousarray(inputs)})[0]
        return answers

    def run_all(
        self, batches: Iterable[NDArray[Any]], between: Callable[[int], None] = lambda rows: None
    ) -> NDArray[Any]:
        """The answers for all batches, joined; `between` is called with the number of rows done."""
        answers = []
        rows = 0
        for batch in batches:
            answers.append(self.run(batch))
            rows += len(batch)
            between(rows)
        return np.concatenate(answers)
