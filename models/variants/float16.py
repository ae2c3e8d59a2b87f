"""`fp16`: products in half precision (IEEE 754 binary16), for GPUs; half the size.

Preprocessing and postprocessing stay in float32: raw values, such as prices, may be beyond 65,504, the largest
half, and probabilities below the smallest. So the graph is cut into what comes before its products, the core, and
what comes after; ONNX Runtime's converter gets the core alone, and casts stand where it was cut.
"""

from collections.abc import Iterable

import onnx
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper
from onnxruntime.quantization.onnx_model import ONNXModel
from onnxruntime.transformers.float16 import convert_float_to_float16

from models.variants.graph import finished, name_nodes, parts
from models.variants.source import Refused, Source

SUFFIX = "_fp16"


def build(source: Source) -> ModelProto:
    """The graph with its core in half precision.

    Raises:
        Refused: it has no products or has control flow.
    """
    model = onnx.shape_inference.infer_shapes(source.basic)
    if model.functions:
        raise Refused("The graph has functions, which this variant does not know.")
    name_nodes(model.graph)
    before, core, after, _ = parts(model.graph)
    if not core:
        raise Refused("The graph has no convolution, matrix product or recurrent layer to gain from half precision.")
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    outside = {name for node in (*before, *after) for name in node.input}
    kept = [tensor for name, tensor in weights.items() if name in outside]
    cut = _cut_out(model, core, after, weights)
    half = convert_float_to_float16(cut, keep_io_types=True)
    _rename_weights(half, taken={tensor.name for tensor in kept})
    graph = helper.make_graph(
        [*before, *half.graph.node, *after],
        model.graph.name,
        model.graph.input,
        model.graph.output,
        [*kept, *half.graph.initializer],
    )
    model.graph.CopyFrom(graph)
    ONNXModel(model).topological_sort()
    onnx.checker.check_model(model)
    return finished(model, source.basic)


def _cut_out(
    model: ModelProto, core: list[NodeProto], after: list[NodeProto], weights: dict[str, TensorProto]
) -> ModelProto:
    """The core as a model of its own, with its weights."""
    made = {name for node in core for name in node.output}
    read = list(dict.fromkeys(name for node in core for name in node.input if name and name not in made))
    wanted = {name for node in after for name in node.input} | {output.name for output in model.graph.output}
    types = {info.name: info for info in (*model.graph.input, *model.graph.value_info, *model.graph.output)}
    graph = helper.make_graph(
        core,
        "core",
        _typed((name for name in read if name not in weights), types),
        _typed((name for node in core for name in node.output if name in wanted), types),
        [weights[name] for name in read if name in weights],
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _typed(names: Iterable[str], types: dict[str, ValueInfoProto]) -> list[ValueInfoProto]:
    names = list(names)
    unknown = [name for name in names if name not in types]
    if unknown:
        raise Refused("The types of the tensors around the graph's products could not be found out.")
    return [types[name] for name in names]


def _rename_weights(model: ModelProto, taken: set[str]) -> None:
    """Weights that are also used outside of the core stay there as they are: here they get another name."""
    shared = {tensor.name: tensor.name + SUFFIX for tensor in model.graph.initializer if tensor.name in taken}
    for tensor in model.graph.initializer:
        tensor.name = shared.get(tensor.name, tensor.name)
    for node in model.graph.node:
        node.input[:] = [shared.get(name, name) for name in node.input]
