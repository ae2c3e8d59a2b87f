"""Running on a GPU: which provider, and runs over buffers that stay on the device.

A batch is padded to the next power of two, a bucket. Each bucket has buffers of its own on the device, written
in place and never moved, so that ONNX Runtime can replay a recorded CUDA graph for it instead of launching every
kernel again. Source: ONNX Runtime's documentation, "CUDA Execution Provider", sections "Using CUDA Graphs" and
"I/O Binding".
"""

import threading
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnxruntime
import structlog

from services.serving.network import Feeds, Network, Outputs
from services.serving.protocol.datatypes import DTYPES
from services.serving.service_times import size_class

Device = Literal["cpu", "cuda"]
PROVIDER = "CUDAExecutionProvider"
NOT_RECORDED = "-1"
# An exhaustive search of convolution algorithms takes minutes at every new shape.
OPTIONS = {"cudnn_conv_algo_search": "HEURISTIC", "enable_cuda_graph": "1"}

log = structlog.get_logger(__name__)


def choose(wish: Literal["auto", "cpu", "cuda"]) -> Device:
    """The device to serve from: a GPU where this ONNX Runtime has one; a wish that cannot be met is logged."""
    if wish == "cpu":
        return "cpu"
    if PROVIDER in onnxruntime.get_available_providers():
        return "cuda"
    if wish == "cuda":
        log.warning("serving_from_the_cpu", reason="this ONNX Runtime has no CUDA; install requirements-gpu.txt")
    return "cpu"


def providers(device: Device) -> list[Any]:
    """Execution providers in order of preference. What the GPU cannot run falls to the CPU."""
    return ([(PROVIDER, OPTIONS)] if device == "cuda" else []) + ["CPUExecutionProvider"]


def network_class(session: onnxruntime.InferenceSession) -> type[Network]:
    """How a session is run. One that asked for a GPU and did not get it runs on the CPU, with a warning."""
    return CudaNetwork if PROVIDER in session.get_providers() else Network


@dataclass
class Bucket:
    """The buffers of one batch size."""

    binding: Any
    inputs: dict[str, Any] = field(default_factory=dict)


class CudaNetwork(Network):
    """A network on the first GPU that the process sees."""

    def __init__(self, session: onnxruntime.InferenceSession, **options: Any) -> None:
        super().__init__(session, **{**options, "concurrency": 1})
        self.runs_inline = False
        self._buckets: dict[int, Bucket] = {}
        self._lock = threading.Lock()

    def run(self, feeds: Feeds, options: onnxruntime.RunOptions | None = None) -> Outputs:
        """As `Network.run`; one run at a time, since the buffers are shared."""
        options = options or self.new_options()
        if not self._has_fixed_buffers:
            # Without this the first run would be recorded, and its inputs replayed for all others.
            options.add_run_config_entry("gpu_graph_id", NOT_RECORDED)
            return super().run(feeds, options)
        rows = len(next(iter(feeds.values())))
        size = 1 << size_class(rows)
        options.add_run_config_entry("gpu_graph_id", str(size))
        with self._lock:
            bucket = self._buckets.get(size) or self._make_bucket(size)
            for name, array in feeds.items():
                bucket.inputs[name].update_inplace(_padded(array, size))
            self.session.run_with_iobinding(bucket.binding, options)
            outputs = bucket.binding.copy_outputs_to_cpu()
        return [output[:rows] for output in outputs]

    @property
    def _has_fixed_buffers(self) -> bool:
        """Whether the sizes of all tensors follow from the number of rows, and rows may be added."""
        specs = (*self.inputs, *self.outputs)
        return self.batchable and all(
            spec.datatype != "BYTES" and spec.shape[:1] == (-1,) and -1 not in spec.shape[1:] for spec in specs
        )

    def _make_bucket(self, size: int) -> Bucket:
        bucket = Bucket(self.session.io_binding())
        for spec in self.inputs:
            zeros = np.zeros((size, *spec.shape[1:]), DTYPES[spec.datatype])
            bucket.inputs[spec.name] = onnxruntime.OrtValue.ortvalue_from_numpy(zeros, "cuda", 0)
            bucket.binding.bind_ortvalue_input(spec.name, bucket.inputs[spec.name])
        for spec in self.outputs:
            dtype = DTYPES[spec.datatype]
            on_device = onnxruntime.OrtValue.ortvalue_from_shape_and_type((size, *spec.shape[1:]), dtype, "cuda", 0)
            bucket.binding.bind_ortvalue_output(spec.name, on_device)
        self._buckets[size] = bucket
        return bucket


def _padded(array: np.ndarray, rows: int) -> np.ndarray:
    """The array with rows of zeros added; what they answer is cut off again."""
    if len(array) == rows:
        return np.ascontiguousarray(array)
    padded = np.zeros((rows, *array.shape[1:]), array.dtype)
    padded[: len(array)] = array
    return padded
