from collections.abc import Callable, Sequence

import numpy as np
import onnx
import pytest
from onnx import ModelProto, NodeProto, TensorProto
from onnx.numpy_helper import from_array

from models.acceptance import shapes, texts
from models.errors import JobError
from tests.hostile_models import FLOAT, INT64, STRING, ints, model_of, node, value

LETTERS = [value("x", ["N", 2], STRING)]


def of_text(
    nodes: Sequence[NodeProto], weights: Sequence[TensorProto] = (), *, kind: int = STRING, opset: int = 20
) -> ModelProto:
    """A model from text `x` (N, 2) to `y`."""
    domains = sorted({each.domain for each in nodes if each.domain})
    given = model_of(nodes, weights, inputs=LETTERS, outputs=[value("y", None, kind)], opset=opset, domains=domains)
    for opset_id in given.opset_import:
        if opset_id.domain == "ai.onnx.ml":
            opset_id.version = 3
    return given


def encoder(**attributes: object) -> NodeProto:
    return node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml", keys_strings=["a", "b"], **attributes)


def columns(*places: int) -> ModelProto:
    chosen = node("ArrayFeatureExtractor", ["x", "places"], ["y"], domain="ai.onnx.ml")
    return of_text([chosen], [ints("places", *places)])


def joined(times: int) -> ModelProto:
    nodes = [node("Concat", ["x" if turn == 0 else f"t{turn}"] * 2, [f"t{turn + 1}"], axis=0) for turn in range(times)]
    return of_text([*nodes, node("Identity", [f"t{times}"], ["y"])])


def in_a_function() -> ModelProto:
    double = onnx.helper.make_function(
        "own", "Double", ["a"], ["b"], [node("Concat", ["a", "a"], ["b"], axis=0)], [onnx.helper.make_opsetid("", 20)]
    )
    model = of_text([node("Double", ["x"], ["y"], domain="own")])
    model.functions.append(double)
    return model


HARMLESS: dict[str, Callable[[], ModelProto]] = {
    "codes": lambda: of_text([encoder(values_int64s=[1, 2])], kind=INT64),
    "labels": lambda: of_text([encoder(values_strings=["first", "second"])]),
    "columns": lambda: columns(1, 0),
    "compared": lambda: of_text([node("Equal", ["x", "x"], ["y"])], kind=TensorProto.BOOL),
    "joined": lambda: joined(4),
    "numbers": lambda: of_text([node("Cast", ["x"], ["z"], to=FLOAT), node("Exp", ["z"], ["y"])], kind=FLOAT),
    "none": lambda: model_of([node("Tile", ["x", "times"], ["y"])], [ints("times", 1, 1)]),
}
GROWING: dict[str, tuple[Callable[[], ModelProto], str]] = {
    "StringConcat": (lambda: of_text([node("StringConcat", ["x", "x"], ["y"])]), "StringConcat"),
    "Tile": (lambda: of_text([node("Tile", ["x", "times"], ["y"])], [ints("times", 9, 9)]), "Tile"),
    "joined": (lambda: joined(6), "65th copy"),
    "chosen again": (lambda: columns(*[0] * 70), "65th copy"),
    "chosen by the request": (
        lambda: of_text([node("Shape", ["x"], ["places"]), node("Gather", ["x", "places"], ["y"])]),
        "chooses",
    ),
    "a function": (in_a_function, "functions"),
    "long": (lambda: of_text([encoder(values_strings=["first", "s" * 200])]), "128 bytes"),
    "long in a weight": (
        lambda: of_text([node("Equal", ["x", "w"], ["y"])], [from_array(np.array(["s" * 200] * 2000), "w")]),
        "128 bytes",
    ),
    "of unknown type": (
        lambda: of_text([node("Identity", ["x"], ["z"]), node("Tokenizer", ["z"], ["y"], domain="com.microsoft")]),
        "Tokenizer",
    ),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_text_that_stays_as_much_as_it_is_may_go_on(name: str) -> None:
    shapes.check(HARMLESS[name]())


@pytest.mark.parametrize("name", GROWING)
def test_text_that_could_grow_is_refused(name: str) -> None:
    make, said = GROWING[name]
    with pytest.raises(JobError, match=said) as caught:
        shapes.check(make())
    assert caught.value.code == "unbounded_text"


def test_the_longest_text_is_found_wherever_it_stands() -> None:
    assert texts.longest(of_text([encoder(values_strings=["first", "s" * 20])])) == 20
