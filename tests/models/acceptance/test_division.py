"""Divisions of whole numbers that could end the process."""

import onnx
import pytest
from onnx import ModelProto

from models.acceptance import division
from models.errors import JobError
from tests.hostile_models import model_of, node, scalar


def check(model: ModelProto) -> None:
    safe = division.divisors(model)
    division.require_safe(onnx.shape_inference.infer_shapes(model), safe)


def whole(operator: str, divisor: int | None) -> ModelProto:
    """x as whole numbers, divided by a constant, or by itself for None."""
    nodes = [
        node("Cast", ["x"], ["w"], to=onnx.TensorProto.INT64),
        node(operator, ["w", "w" if divisor is None else "d"], ["q"]),
        node("Cast", ["q"], ["y"], to=onnx.TensorProto.FLOAT),
    ]
    return model_of(nodes, [] if divisor is None else [scalar("d", divisor)])


@pytest.mark.parametrize("operator", ["Div", "Mod"])
@pytest.mark.parametrize("divisor", [None, 0, -1])
def test_a_divisor_that_can_end_the_process_is_refused(operator: str, divisor: int | None) -> None:
    with pytest.raises(JobError) as failure:
        check(whole(operator, divisor))
    assert failure.value.code == "unsafe_division"


@pytest.mark.parametrize("operator", ["Div", "Mod"])
def test_a_safe_constant_divides(operator: str) -> None:
    check(whole(operator, 2))


def test_floats_are_divided_by_anything() -> None:
    check(model_of([node("Div", ["x", "x"], ["y"])]))


def test_what_is_unknown_counts_as_whole() -> None:
    nodes = [node("FusedMatMul", ["x", "x"], ["u"], domain="com.microsoft"), node("Div", ["u", "u"], ["y"])]
    model = model_of(nodes, domains=["com.microsoft"])
    with pytest.raises(JobError):
        check(model)
