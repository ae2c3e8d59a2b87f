from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import ModelProto
from onnx.numpy_helper import from_array

from models.acceptance import costs
from tests import hostile_models as hostile
from tests.hostile_models import FLOAT, INT64, STRING, ints, model_of, node, value


def flattened() -> ModelProto:
    """Images (N, 1, 4, 4) as rows (N, 16), by sizes that are worked out from the batch's, times weights."""
    nodes = [
        node("Shape", ["x"], ["shape"]),
        node("Gather", ["shape", "first"], ["rows"]),
        node("Concat", ["rows", "rest"], ["sizes"], axis=0),
        node("Reshape", ["x", "sizes"], ["flat"]),
        node("MatMul", ["flat", "w"], ["z"]),
        node("Reshape", ["z", "halves"], ["y"]),
    ]
    weights = [ints("first", 0), ints("rest", -1), ints("halves", -1, 2), from_array(np.eye(16, dtype=np.float32), "w")]
    return model_of(nodes, weights, inputs=[value("x", ["N", 1, 4, 4])], outputs=[value("y", ["M", 2])])


def of_wanted_size() -> ModelProto:
    """Zeros whose number is the input."""
    nodes = [node("ConstantOfShape", ["x"], ["z"]), node("ReduceSum", ["z"], ["y"], keepdims=0)]
    return model_of(nodes, inputs=[value("x", [2], INT64)], outputs=[value("y", [])])


def of_claimed_size() -> ModelProto:
    """The same with a claim about the zeros that is not so."""
    model = of_wanted_size()
    model.graph.value_info.append(value("z", [2, 2]))
    return model


def of_lengths() -> ModelProto:
    return model_of([node("Neg", ["x"], ["y"])], inputs=[value("x", ["N", "L"])], outputs=[value("y", ["N", "L"])])


def of_texts() -> ModelProto:
    return model_of(
        [node("Identity", ["x"], ["y"])], inputs=[value("x", ["N"], STRING)], outputs=[value("y", ["N"], STRING)]
    )


def of_microsofts() -> ModelProto:
    return model_of([node("Gelu", ["x"], ["y"], domain="com.microsoft")], domains=["com.microsoft"])


def of_regions() -> ModelProto:
    """Regions of images, each averaged over as many points as it is large."""
    align = node("RoiAlign", ["x", "regions", "which"], ["y"], output_height=1, output_width=1, sampling_ratio=0)
    regions = [value("x", [1, 1, 8, 8]), value("regions", [1, 4], FLOAT), value("which", [1], INT64)]
    return model_of([align], inputs=regions, outputs=[value("y", [1, 1, 1, 1])])


@pytest.mark.parametrize("make", [hostile.doubler, hostile.mean_of_rows, flattened])
def test_sizes_that_follow_from_the_number_of_rows_are_steady(make: Callable[[], ModelProto]) -> None:
    onnx.checker.check_model(make())
    assert costs.are_steady(make())


@pytest.mark.parametrize(
    "make",
    [
        of_wanted_size,
        of_claimed_size,
        of_lengths,
        of_texts,
        of_microsofts,
        of_regions,
        hostile.finite_loop,
        hostile.with_function,
    ],
)
def test_sizes_that_do_not_are_not(make: Callable[[], ModelProto]) -> None:
    onnx.checker.check_model(make())
    assert not costs.are_steady(make())


def test_the_model_is_left_as_it_was() -> None:
    model = flattened()
    costs.are_steady(model)
    assert model == flattened()
