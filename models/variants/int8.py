"""`int8`: products in eight bits, calibrated on training inputs; a quarter of the size, and faster on CPUs.

Static quantisation as QuantizeLinear and DequantizeLinear pairs: weights int8 with a scale for each channel,
activations uint8 with the range that they had on the calibration inputs (Jacob et al. 2018, Quantization and
training of neural networks for efficient integer-arithmetic-only inference). With these types, and no others,
ONNX Runtime 1.32 fuses the pairs into integer kernels on x86 (QLinearConv, QGemm); with int8 activations 11 of
ResNet-18's 20 convolutions stayed float, and with uint8 weights the kernels were as slow as float. The range of
the weights is not reduced to seven bits: that is for processors without VNNI, which saturate.

What would be slower in eight bits, or lose more than it gains, stays float32: preprocessing and postprocessing,
the last product, whose answers would else be one of 256, and products of few weights. Measured on x86 with
AVX512-VNNI and AMX, a convolution gains from about 4,096 weights a group on (64 channels to 64 by 1×1), and is up
to three times slower with fewer, as in a first layer on one channel or a depthwise one.
"""

from math import prod

import onnx
from onnx import GraphProto, ModelProto, NodeProto
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.quant_utils import add_pre_process_metadata

from models.random_inputs import Feeds
from models.variants.graph import finished, name_nodes, parts
from models.variants.source import Refused, Source

QUANTIZED = ("Conv", "Gemm", "MatMul")
FOLLOWERS = ("Add", "AveragePool", "Concat", "Flatten", "GlobalAveragePool", "MaxPool", "Relu", "Reshape")
"""Operators with integer kernels, which pass on what is in eight bits already."""
MIN_WEIGHTS = 4096


class _Reader(CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, source: Source) -> None:
        self._batches = source.calibration

    def get_next(self) -> Feeds | None:
        return next(self._batches, None)


def build(source: Source) -> ModelProto:
    """The graph with its large products in eight bits.

    Raises:
        Refused: no product is large enough to gain.
    """
    model = ModelProto()
    model.CopyFrom(source.basic)
    name_nodes(model.graph)
    chosen = _chosen(model.graph)
    if not chosen:
        raise Refused("No layer but the last has weights enough to gain from eight bits.")
    add_pre_process_metadata(model)  # which says that it is simplified already
    given, made = source.scratch / "float.onnx", source.scratch / "int8.onnx"
    given.write_bytes(model.SerializeToString())
    quantize_static(
        given,
        made,
        _Reader(source),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        reduce_range=False,
        nodes_to_quantize=[node.name for node in chosen],
        op_types_to_quantize=sorted({node.op_type for node in chosen}),
    )
    quantized = onnx.load_model_from_string(made.read_bytes())
    onnx.checker.check_model(quantized)
    return finished(quantized, source.basic)


def _chosen(graph: GraphProto) -> list[NodeProto]:
    """The nodes to compute in eight bits: products that gain, and what follows on them alone."""
    last = {node.name for node in parts(graph).last}
    weights = {tensor.name: prod(tensor.dims) for tensor in graph.initializer}
    in_eight_bits: set[str] = set()
    chosen = []
    for node in graph.node:
        if node.op_type in QUANTIZED:
            gains = node.name not in last and weights.get(node.input[1], 0) >= MIN_WEIGHTS * _num_groups(node)
        else:
            data = node.input if node.op_type in ("Add", "Concat") else node.input[:1]
            gains = node.op_type in FOLLOWERS and in_eight_bits.issuperset(data)
        if gains:
            chosen.append(node)
            in_eight_bits.update(node.output)
    return chosen if any(node.op_type in QUANTIZED for node in chosen) else []


def _num_groups(node: NodeProto) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "group"), 1)
