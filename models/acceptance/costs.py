"""Whether what a run costs follows from the number of rows alone, so that a time once measured holds for the next."""

from collections.abc import Iterable

import onnx
from onnx import ModelProto, TensorProto, ValueInfoProto

from models.acceptance.structure import has_graph

ROWS = 7
"""Put in the place of a first dimension that varies, to see whether every other size follows from it."""
CAPRICIOUS = frozenset({"RoiAlign"})
"""Operators whose work depends on values though the sizes of their outputs do not."""


def are_steady(model: ModelProto) -> bool:
    """Whether the rules of onnx say how large everything in the graph is, given the number of rows.

    That is not so where a size depends on values, or a dimension beside the first varies, or there are texts, or
    functions or graphs within the graph, or operators that onnx has no rules for. What the file itself claims about
    sizes is not believed. The model may lack the data of its large weights.
    """
    bare = ModelProto()
    bare.CopyFrom(model)
    graph = bare.graph
    if bare.functions or any(node.op_type in CAPRICIOUS or has_graph(node) for node in graph.node):
        return False
    weights = {tensor.name for tensor in graph.initializer}
    for value in graph.input:
        dims = value.type.tensor_type.shape.dim
        if value.name not in weights and dims and not dims[0].HasField("dim_value"):
            dims[0].dim_value = ROWS
    graph.ClearField("value_info")
    for value in graph.output:
        value.type.tensor_type.ClearField("shape")
    inferred = onnx.shape_inference.infer_shapes(bare, data_prop=True).graph
    known = _numbers_of_known_size((*inferred.input, *inferred.value_info, *inferred.output))
    given = {value.name for value in inferred.input} - weights
    made = {name for node in inferred.node for name in node.output if name}
    return given | made <= known


def _numbers_of_known_size(values: Iterable[ValueInfoProto]) -> set[str]:
    return {
        value.name
        for value in values
        if (tensor := value.type.tensor_type).elem_type not in (TensorProto.UNDEFINED, TensorProto.STRING)
        and tensor.HasField("shape")
        and all(dim.HasField("dim_value") for dim in tensor.shape.dim)
    }
