"""Models for the Open Inference Protocol: every kind of tensor, made by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto, TensorProto, ValueInfoProto, checker

from tests.hostile_models import BOOL, FLOAT, INT64, STRING, model_of, node, value
from tests.serving_models import tensors_signature

FP16 = TensorProto.FLOAT16


@dataclass(frozen=True)
class ProtocolModel:
    """A graph, as a user might have registered it."""

    graph: ModelProto
    batchable: bool = True

    @property
    def onnx(self) -> bytes:
        checker.check_model(self.graph)
        return bytes(self.graph.SerializeToString())

    @property
    def signature(self) -> dict[str, Any]:
        inputs, outputs = (
            [tensor.name for tensor in side] for side in (self.graph.graph.input, self.graph.graph.output)
        )
        return tensors_signature(inputs, outputs, batchable=self.batchable)


def _identity(dtype: int, shape: Sequence[int | str]) -> ModelProto:
    return _of([node("Identity", ["x"], ["y"])], [value("x", shape, dtype)], [value("y", shape, dtype)])


def _of(nodes: Sequence[Any], inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]) -> ModelProto:
    return model_of(nodes, inputs=inputs, outputs=outputs)


def sum_and_difference() -> ProtocolModel:
    """Two inputs `a` and `b`, two outputs `sum` and `difference`, FP32 (N, 3)."""
    nodes = [node("Add", ["a", "b"], ["sum"]), node("Sub", ["a", "b"], ["difference"])]
    return ProtocolModel(_of(nodes, [value("a"), value("b")], [value("sum"), value("difference")]))


def texts() -> ProtocolModel:
    """BYTES (N, M), as they came."""
    return ProtocolModel(_identity(STRING, ["N", "M"]))


def doubled_halves() -> ProtocolModel:
    """FP16 (N, 2), doubled."""
    shape: list[int | str] = ["N", 2]
    return ProtocolModel(_of([node("Add", ["x", "x"], ["y"])], [value("x", shape, FP16)], [value("y", shape, FP16)]))


def doubled_counts() -> ProtocolModel:
    """INT64 (N), doubled: an output without a dimension but the batch."""
    return ProtocolModel(_of([node("Add", ["x", "x"], ["y"])], [value("x", ["N"], INT64)], [value("y", ["N"], INT64)]))


def opposites() -> ProtocolModel:
    """BOOL (N, 4), negated."""
    shape: list[int | str] = ["N", 4]
    return ProtocolModel(_of([node("Not", ["x"], ["y"])], [value("x", shape, BOOL)], [value("y", shape, BOOL)]))


def transposed() -> ProtocolModel:
    """A whole matrix FP32 (A, 2) to its transpose: rows of several requests must not be put together."""
    nodes = [node("Transpose", ["x"], ["y"])]
    return ProtocolModel(_of(nodes, [value("x", ["A", 2], FLOAT)], [value("y", [2, "A"], FLOAT)]), batchable=False)


def sequence() -> ProtocolModel:
    """FP32 (N, L), of any length, as it came."""
    return ProtocolModel(_identity(FLOAT, ["N", "L"]))


MODELS = {
    "sum": sum_and_difference(),
    "texts": texts(),
    "halves": doubled_halves(),
    "counts": doubled_counts(),
    "opposites": opposites(),
    "matrix": transposed(),
    "sequence": sequence(),
    "Named.with_all-3": sequence(),
}
