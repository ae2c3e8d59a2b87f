"""What a parsed model says of itself: its weights, operators and nesting. Nothing of it is run."""

from collections.abc import Sequence
from functools import cache
from math import prod
from typing import NamedTuple

from onnx import ModelProto, NodeProto, SparseTensorProto, TensorProto
from onnx.numpy_helper import to_array
from onnxruntime.capi.onnxruntime_pybind11_state import get_all_operator_schema

from models.acceptance.functions import Functions
from models.acceptance.walking import domain_of, quoted, walk
from models.errors import JobError
from models.inference import reason

DOMAINS = ("", "ai.onnx.ml", "com.microsoft")
MAX_NODES = 20_000
"""A gateway stands still while it loads a graph: for so many nodes, 0.6 s."""
MAX_INPUTS = 256
MAX_NAME_LENGTH = 256
MAX_ELEMENTS = 2**28
"""Of one tensor: 1 GiB of float32."""
FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)


class Facts(NamedTuple):
    """What is known of a model without running it."""

    opset: int
    parameters: int
    """Numbers in its floating-point weights."""
    bounded: bool
    """Whether one run is sure to end: no node runs a graph of its own, again and again."""


def examine(model: ModelProto) -> Facts:
    """Refuse what must not be loaded, or cannot be.

    Raises:
        JobError: `too_many_nodes`, `too_many_inputs`, `name_too_long`, `training_graph`, `nested_too_deep`,
            `recursive_functions`, `external_data`, `tensor_invalid`, `tensor_too_large`, `unknown_operator` or
            `unknown_opset`.
    """
    _require_few(model)
    messages = list(walk(model))
    nodes = [message for message in messages if isinstance(message, NodeProto)]
    functions = Functions(model)
    if functions.largest_extent(model) > MAX_NODES:
        raise JobError("too_many_nodes", f"The graph has more than {MAX_NODES:,} nodes once functions are inlined.")
    _require_known_operators([node for node in nodes if not functions.has(node)])
    _require_known_opsets(model)
    tensors = [message for message in messages if isinstance(message, TensorProto)]
    for tensor in tensors:
        _require_internal(tensor)
    for tensor in tensors:
        _require_whole(tensor)
    for message in messages:
        if isinstance(message, SparseTensorProto):
            require_size(message.dims, message.values.name)
    return Facts(
        opset=max((opset.version for opset in model.opset_import if domain_of(opset) == ""), default=0),
        parameters=sum(prod(tensor.dims) for tensor in tensors if tensor.data_type in FLOATS),
        bounded=not any(has_graph(node) for node in nodes),
    )


def require_size(dims: Sequence[int], name: str) -> None:
    """Refuse a tensor of a gigantic or impossible shape.

    Raises:
        JobError: `tensor_invalid` or `tensor_too_large`.
    """
    shape = " x ".join(map(str, dims[:8]))
    if any(dim < 0 for dim in dims):
        raise JobError("tensor_invalid", f"The tensor {quoted(name)} has a negative dimension: {shape}.")
    if prod(dims) > MAX_ELEMENTS:
        msg = f"The tensor {quoted(name)} is {shape}, which is more than {MAX_ELEMENTS:,} elements."
        raise JobError("tensor_too_large", msg)


def _require_few(model: ModelProto) -> None:
    """Before the model is walked through."""
    graph = model.graph
    if len(model.training_info):
        raise JobError("training_graph", "The file has graphs for training; export the network for inference.")
    if max(len(graph.node), len(graph.initializer), len(model.functions)) > MAX_NODES:
        raise JobError("too_many_nodes", f"The graph has more than {MAX_NODES:,} nodes.")
    # Older files list their weights among the inputs.
    if max(len(graph.input) - len(graph.initializer), len(graph.output)) > MAX_INPUTS:
        raise JobError("too_many_inputs", f"The graph has more than {MAX_INPUTS} inputs or outputs.")
    for value in (*graph.input, *graph.output):
        if len(value.name) > MAX_NAME_LENGTH:
            raise JobError("name_too_long", f"The name {quoted(value.name)} has over {MAX_NAME_LENGTH} characters.")


def _require_known_operators(nodes: Sequence[NodeProto]) -> None:
    known, _ = _operators()
    for node in nodes:
        domain = domain_of(node)
        if domain not in DOMAINS:
            raise JobError(
                "unknown_operator",
                f"The operator {quoted(node.op_type)} is of the domain {quoted(domain)}: custom operators are not "
                "loaded. Use those of ai.onnx, ai.onnx.ml and com.microsoft.",
            )
        if (domain, node.op_type) not in known:
            raise JobError("unknown_operator", f"ONNX Runtime has no operator {quoted(node.op_type)} in its sets.")


def _require_known_opsets(model: ModelProto) -> None:
    _, newest = _operators()
    for holder in (model, *model.functions):
        for opset in holder.opset_import:
            domain = domain_of(opset)
            if domain in DOMAINS and not 1 <= opset.version <= newest[domain]:
                raise JobError(
                    "unknown_opset",
                    f"The file wants version {opset.version} of the operator set {domain or 'ai.onnx'}, and ONNX "
                    f"Runtime has it up to {newest[domain]}. Export with an older one.",
                )


@cache
def _operators() -> tuple[set[tuple[str, str]], dict[str, int]]:
    """The operators of this ONNX Runtime by domain and name, and the newest version of each domain."""
    newest: dict[str, int] = {}
    schemas = get_all_operator_schema()
    for schema in schemas:
        newest[schema.domain] = max(newest.get(schema.domain, 1), schema.since_version)
    return {(schema.domain, schema.name) for schema in schemas}, newest


def _require_internal(tensor: TensorProto) -> None:
    """What is said to lie in another file could be any file of this machine, or a place in its memory."""
    if tensor.data_location != TensorProto.DEFAULT or tensor.external_data:
        msg = f"The tensor {quoted(tensor.name)} lies in another file; save the model with all weights in its own."
        raise JobError("external_data", msg)


def _require_whole(tensor: TensorProto) -> None:
    require_size(tensor.dims, tensor.name)
    try:
        to_array(tensor)
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        msg = f"The data of the tensor {quoted(tensor.name)} are not what its shape and type say: {reason(error)}"
        raise JobError("tensor_invalid", msg) from error


def has_graph(node: NodeProto) -> bool:
    """Whether a node runs graphs of its own, as loops and conditions do."""
    # By what is there and not by the attribute's type, which may lie.
    return any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute)
