"""What Triton's model configuration extension tells of a model: how it is batched and where it runs.

The names are those of Triton's `ModelConfig` message; what has no meaning here is left out.
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
"""

from collections.abc import Sequence
from typing import Any

from services.serving.cuda import CudaNetwork
from services.serving.engine import DEFAULT_PRIORITY, LAST_PRIORITY
from services.serving.loading import new_times
from services.serving.network import Network
from services.serving.protocol.datatypes import BYTES, TensorSpec


def configuration(name: str, network: Network, timeout_seconds: float) -> dict[str, Any]:
    """The configuration of a loaded model; `timeout_seconds` is the deadline of a request that names none.

    `max_batch_size` is how many rows are run as one batch at most; a request may have more. It is 0 for a model that
    takes whole tensors; the `dims` of others are without the batch dimension.
    """
    kind = "KIND_GPU" if isinstance(network, CudaNetwork) else "KIND_CPU"
    batched = {"dynamic_batching": _batching(timeout_seconds)} if network.batchable else {}
    return {
        "name": name,
        "platform": "onnxruntime_onnx",
        "backend": "onnxruntime",
        "version_policy": {"all": {}},
        "max_batch_size": new_times(network).max_rows if network.batchable else 0,
        "input": _tensors(network.inputs, network.batchable),
        "output": _tensors(network.outputs, network.batchable),
        **batched,
        "instance_group": [{"name": name, "kind": kind, "count": network.concurrency}],
        "default_model_filename": "model.onnx",
    }


def _batching(timeout_seconds: float) -> dict[str, Any]:
    return {
        "preferred_batch_size": [],
        "max_queue_delay_microseconds": 0,
        "preserve_ordering": False,
        "priority_levels": LAST_PRIORITY,
        "default_priority_level": DEFAULT_PRIORITY,
        "default_queue_policy": {
            "timeout_action": "REJECT",
            "default_timeout_microseconds": round(timeout_seconds * 1e6),
            "allow_timeout_override": True,
        },
    }


def _tensors(specs: Sequence[TensorSpec], batchable: bool) -> list[dict[str, Any]]:
    return [_tensor(spec, spec.shape[1:] if batchable else spec.shape) for spec in specs]


def _tensor(spec: TensorSpec, dims: tuple[int, ...]) -> dict[str, Any]:
    tensor = {"name": spec.name, "data_type": "TYPE_STRING" if spec.datatype == BYTES else f"TYPE_{spec.datatype}"}
    if not dims:  # which the message does not allow: one element, reshaped to none
        return {**tensor, "dims": [1], "reshape": {"shape": []}}
    return {**tensor, "dims": list(dims)}
