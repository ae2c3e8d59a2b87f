"""A model version's ONNX file run by ONNX Runtime, in batches, as training, evaluation and inference do."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.errors import JobError
from models.ragged import joined
from shapes.tokens import NO_TARGET

Feed = NDArray[Any] | tuple[NDArray[Any], ...]
"""An array (N, ...) for each input of a graph, in their order; of one input, the array alone."""

BATCH_SIZE = 256
METADATA_KEY = "syllabus"
"""Of a file's metadata: the version's signature, as JSON."""
COMPUTING_OPTIMIZERS = ["ConstantFolding", "ConstantFoldingDQ"]
SEVERITY_ERROR = 3
MAX_REASON = 300
# The number of the error, and the place in ONNX Runtime's source with the function's signature and types.
_NOISE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : |/\S+\.(?:cc|h):\d+ .*?\) (?:const )?(?:\[with .*?\] )?")


def load(
    graph: bytes, threads: int, *, trusted: bool = True, write_simplified_to: Path | None = None
) -> ort.InferenceSession:
    """An ONNX graph on the CPU, from bytes, so that no tensor is read from a path that the file names.

    Of a graph that is not trusted nothing is computed in advance: its constants may be gigabytes. With
    `write_simplified_to` it is also written as ONNX Runtime simplifies it, in standard operators that any machine
    runs.

    Raises:
        JobError: `model_invalid`, ONNX Runtime cannot load it.
        MemoryError: there is not memory enough.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = SEVERITY_ERROR
    if write_simplified_to is not None:
        # The levels above this one choose kernels of this machine's processor.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(write_simplified_to)
    try:
        return ort.InferenceSession(
            graph,
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=None if trusted else COMPUTING_OPTIMIZERS,
        )
    except MemoryError:
        raise
    except Exception as error:
        if is_shortage(error):
            raise MemoryError from error
        raise JobError("model_invalid", f"ONNX Runtime cannot load this model's file: {reason(error)}") from error


def is_shortage(error: Exception) -> bool:
    """Whether ONNX Runtime failed because an allocation did."""
    return any(words in str(error) for words in ("bad_alloc", "Failed to allocate memory", "bad allocation"))


def reason(error: Exception) -> str:
    """What ONNX Runtime or onnx says of a failure, in one short line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return _NOISE.sub("", lines[0])[:MAX_REASON].rstrip()


class Session:
    """An ONNX graph on the CPU.

    Raises:
        JobError: `model_invalid`, ONNX Runtime cannot load the file.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self._session = load(path.read_bytes(), threads)
        self._inputs = [node.name for node in self._session.get_inputs()]

    def run(self, inputs: Feed) -> Any:
        """The output (N, ...) for raw inputs (N, ...); of a graph with several, a tuple of them in their order."""
        arrays = inputs if isinstance(inputs, tuple) else (inputs,)
        feeds = {name: np.ascontiguousarray(array) for name, array in zip(self._inputs, arrays, strict=True)}
        outputs = self._session.run(None, feeds)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def run_all(
        self,
        batches: Iterable[Feed],
        between: Callable[[int], None] = lambda rows: None,
        read: Callable[[Any], NDArray[Any]] = lambda outputs: outputs,
    ) -> NDArray[Any]:
        """The answers for all batches, joined; `between` is called with the number of rows done.

        `read` is given each batch's outputs, and only what it returns is kept: where rows vary in length, as wide as
        the batch, and padded with `NO_TARGET` when joined to others.
        """
        answers = []
        rows = 0
        for batch in batches:
            answers.append(read(self.run(batch)))
            rows += len(answers[-1])
            between(rows)
        return joined(answers, NO_TARGET)
