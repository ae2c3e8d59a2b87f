"""Small networks as ONNX, made by hand so that no test needs torch.

First some as this service exports them; then some as users might register, whose answers tell exactly which input
they belong to, or that misbehave for some inputs.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def _model(nodes: list[onnx.NodeProto], given: Any, taken: Any, weights: dict[str, np.ndarray]) -> bytes:
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    inputs, outputs = (each if isinstance(each, list) else [each] for each in (given, taken))
    graph = helper.make_graph(nodes, "test", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def image_classifier() -> bytes:
    """uint8 (N, 1, 2, 2) to the probabilities of dark, middle and bright, by the mean shade."""
    weights = {
        "shades": np.array([[0.0, 128.0, 255.0]], np.float32),
        "sharpness": np.array(-0.1, np.float32),
        "flat": np.array([-1, 1]),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Reshape", ["mean", "flat"], ["column"]),
        helper.make_node("Sub", ["column", "shades"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["distance"]),
        helper.make_node("Mul", ["distance", "sharpness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    given = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 1, 2, 2])
    taken = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3])
    return _model(nodes, given, taken, weights)


def image_signature() -> dict[str, Any]:
    """The signature of `image_classifier`."""
    return {
        "task": "classification",
        "modality": "image",
        "input": {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]},
        "output": {"name": "probabilities", "dtype": "float32", "shape": [3]},
        "labels": ["dark", "middle", "bright"],
    }


def text_classifier() -> bytes:
    """Tokens, int64 (N, T), to the probabilities of short, middle and long: of 1, 3 and 9 tokens."""
    weights: dict[str, np.ndarray] = {
        "padding": np.array(0, np.int64),
        "one": np.array(1.0, np.float32),
        "lengths": np.array([[1.0, 3.0, 9.0]], np.float32),
        "sharpness": np.array(-4.0, np.float32),
        "axis": np.array([1]),
    }
    nodes = [
        helper.make_node("Equal", ["tokens", "padding"], ["is_padding"]),
        helper.make_node("Cast", ["is_padding"], ["padded"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["one", "padded"], ["counted"]),
        helper.make_node("ReduceSum", ["counted", "axis"], ["length"], keepdims=1),
        helper.make_node("Sub", ["length", "lengths"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["distance"]),
        helper.make_node("Mul", ["distance", "sharpness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    given = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", "T"])
    taken = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3])
    return _model(nodes, given, taken, weights)


def text_signature() -> dict[str, Any]:
    """The signature of `text_classifier`, which knows the letters a and b and reads 20 letters."""
    tokenizer = {"unit": "characters", "max_length": 20, "vocabulary": ["a", "b"]}
    return {
        "task": "classification",
        "modality": "text",
        "input": {"name": "tokens", "dtype": "int64", "shape": [None], "tokenizer": tokenizer},
        "output": {"name": "probabilities", "dtype": "float32", "shape": [3]},
        "labels": ["short", "middle", "long"],
    }


def tree_classifier() -> bytes:
    """Nodes, int64 (N, T, 4), to the probabilities of a leaf, a pair and a tree: of the height 0, 1 and 2."""
    weights: dict[str, np.ndarray] = {
        "column": np.array(3),
        "heights": np.array([[0.0, 1.0, 2.0]], np.float32),
        "sharpness": np.array(-9.0, np.float32),
    }
    nodes = [
        helper.make_node("Gather", ["tokens", "column"], ["height"], axis=2),
        helper.make_node("Cast", ["height"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["number"], ["highest"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["highest", "heights"], ["difference"]),
        helper.make_node("Abs", ["difference"], ["distance"]),
        helper.make_node("Mul", ["distance", "sharpness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    given = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", "T", 4])
    taken = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3])
    return _model(nodes, given, taken, weights)


def tree_signature() -> dict[str, Any]:
    """The signature of `tree_classifier`."""
    tokenizer = {"unit": "tree", "max_length": 9, "vocabulary": ["good", "film"]}
    return {
        "task": "classification",
        "modality": "tree",
        "input": {"name": "tokens", "dtype": "int64", "shape": [None, 4], "tokenizer": tokenizer},
        "output": {"name": "probabilities", "dtype": "float32", "shape": [3]},
        "labels": ["leaf", "pair", "tree"],
    }


def text_tagger() -> bytes:
    """Tokens, int64 (N, T), to the probabilities of three tags, which a token alone tells; of padding, 0."""
    table = [[0.0] * 3, [0.125, 0.125, 0.75], [0.75, 0.0, 0.25], [0.0, 1.0, 0.0]]
    nodes = [helper.make_node("Gather", ["table", "tokens"], ["probabilities"])]
    given = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["N", "T"])
    taken = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", "T", 3])
    return _model(nodes, given, taken, {"table": np.array(table, np.float32)})


def tags_signature() -> dict[str, Any]:
    """The signature of `text_tagger`, which knows the words New and York and reads 6 words."""
    tokenizer = {"unit": "given", "max_length": 6, "vocabulary": ["New", "York"]}
    return {
        "task": "tagging",
        "modality": "text",
        "input": {"name": "tokens", "dtype": "int64", "shape": [None], "tokenizer": tokenizer},
        "output": {"name": "probabilities", "dtype": "float32", "shape": [None, 3]},
        "labels": ["B-place", "I-place", "O"],
    }


def image_segmenter() -> bytes:
    """uint8 (N, 1, 2, 2) to the probabilities of dark and bright of each pixel: its shade."""
    weights = {"white": np.array(255.0, np.float32), "one": np.array(1.0, np.float32)}
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["pixels", "white"], ["bright"]),
        helper.make_node("Sub", ["one", "bright"], ["dark"]),
        helper.make_node("Concat", ["dark", "bright"], ["probabilities"], axis=1),
    ]
    given = helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 1, 2, 2])
    taken = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2, 2, 2])
    return _model(nodes, given, taken, weights)


def mask_signature() -> dict[str, Any]:
    """The signature of `image_segmenter`."""
    return {
        "task": "segmentation",
        "modality": "image",
        "input": {"name": "image", "dtype": "uint8", "shape": [1, 2, 2], "fit": "stretch"},
        "output": {"name": "probabilities", "dtype": "float32", "shape": [2, 2, 2]},
        "labels": ["dark", "bright"],
    }


def tabular_regressor() -> bytes:
    """float32 (N, 2), rooms and the index of the city, to `2 * rooms + 10 * city`; missing counts as 0."""
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "features"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["column"]),
        helper.make_node("Squeeze", ["column", "one"], ["value"]),
    ]
    weights = {
        "zero": np.array(0.0, np.float32),
        "weights": np.array([[2.0], [10.0]], np.float32),
        "one": np.array([1]),
    }
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", 2])
    taken = helper.make_tensor_value_info("value", TensorProto.FLOAT, ["N"])
    return _model(nodes, given, taken, weights)


def tabular_signature() -> dict[str, Any]:
    """The signature of `tabular_regressor`."""
    columns = [
        {"name": "rooms", "kind": "numeric"},
        {"name": "city", "kind": "categorical", "categories": ["aachen", "berlin"]},
    ]
    return {
        "task": "regression",
        "modality": "tabular",
        "input": {"name": "features", "dtype": "float32", "shape": [2], "columns": columns},
        "output": {"name": "value", "dtype": "float32", "shape": []},
        "labels": None,
    }


# --- As users might register them ---------------------------------------------------------------------


def tensors_signature(
    inputs: Sequence[str] = ("x",), outputs: Sequence[str] = ("y",), *, batchable: bool = True
) -> dict[str, Any]:
    """The signature of a graph of a user's own."""
    return {
        "task": "tensors",
        "modality": "tensors",
        "inputs": [{"name": name} for name in inputs],
        "outputs": [{"name": name} for name in outputs],
        "labels": None,
        "batchable": batchable,
    }


def _floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def mirror(columns: int | str = 4) -> bytes:
    """float32 `x` (N, columns) to the same numbers backwards, `y`, and their sum, `total` (N,)."""
    weights = {"last": np.array([-1]), "before": np.array([-(2**62)]), "axis": np.array([1]), "step": np.array([-1])}
    nodes = [
        helper.make_node("Slice", ["x", "last", "before", "axis", "step"], ["y"]),
        helper.make_node("ReduceSum", ["x", "axis"], ["total"], keepdims=0),
    ]
    return _model(nodes, _floats("x", "N", columns), [_floats("y", "N", columns), _floats("total", "N")], weights)


def addition() -> bytes:
    """float32 `a` and `b` (N, 2) to their sum `y`; ONNX would stretch a single row to as many as the other has."""
    nodes = [helper.make_node("Add", ["a", "b"], ["y"])]
    return _model(nodes, [_floats("a", "N", 2), _floats("b", "N", 2)], _floats("y", "N", 2), {})


def lookup(offset: int = 0) -> bytes:
    """int64 `x` (N,) to the square of `x + offset`, `y`, out of a table of ten: it fails on every other number."""
    weights = {"table": np.arange(10, dtype=np.float32) ** 2, "offset": np.array(offset)}
    nodes = [helper.make_node("Add", ["x", "offset"], ["place"]), helper.make_node("Gather", ["table", "place"], ["y"])]
    return _model(nodes, helper.make_tensor_value_info("x", TensorProto.INT64, ["N"]), _floats("y", "N"), weights)


def sequence_reader() -> bytes:
    """float32 `x` (N, L, 4) to the last state, `y`, of a GRU of two cells."""
    weights = {"w": np.ones((1, 6, 4), np.float32), "r": np.ones((1, 6, 2), np.float32)}
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], perm=[1, 0, 2]),
        helper.make_node("GRU", ["steps", "w", "r"], ["", "y"], hidden_size=2),
    ]
    return _model(nodes, _floats("x", "N", "L", 4), _floats("y", 1, "N", 2), weights)


def _loop_body(work: list[onnx.NodeProto], carried: list[int | str]) -> onnx.GraphProto:
    """`work` makes `out` from `in`; it goes on as long as `going` says."""
    return helper.make_graph(
        [helper.make_node("Identity", ["going"], ["still"]), *work],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            _floats("in", *carried),
        ],
        [helper.make_tensor_value_info("still", TensorProto.BOOL, []), _floats("out", *carried)],
    )


def endless_below_zero() -> bytes:
    """float32 `x` (N, 2) to itself, `y`; with a number below zero in it a run never ends."""
    body = _loop_body([helper.make_node("Identity", ["in"], ["out"])], ["N", 2])
    nodes = [
        helper.make_node("ReduceMin", ["x"], ["least"], keepdims=0),
        helper.make_node("Less", ["least", "zero"], ["below"]),
        helper.make_node("Loop", ["", "below", "x"], ["y"], body=body),
    ]
    return _model(nodes, _floats("x", "N", 2), _floats("y", "N", 2), {"zero": np.array(0, np.float32)})


def endless_by_size() -> bytes:
    """float32 `x` (N, 2) to itself, `y`; with more than one row a run never ends."""
    body = _loop_body([helper.make_node("Identity", ["in"], ["out"])], ["N", 2])
    nodes = [
        helper.make_node("Shape", ["x"], ["rows"], end=1),
        helper.make_node("Squeeze", ["rows"], ["count"]),
        helper.make_node("Greater", ["count", "one"], ["several"]),
        helper.make_node("Loop", ["", "several", "x"], ["y"], body=body),
    ]
    return _model(nodes, _floats("x", "N", 2), _floats("y", "N", 2), {"one": np.array(1)})


def slow(turns: int = 2000, width: int = 256) -> bytes:
    """float32 `x` (N, 4) to itself, `y`, after multiplying by a permutation so many times: exact, and milliseconds."""
    weights = {
        "pads": np.array([0, 0, 0, width - 4]),
        "turn": np.roll(np.eye(width, dtype=np.float32), 1, axis=1),
        "turns": np.array(turns),
        "true": np.array(True),
        "places": (np.arange(4) + turns) % width,
    }
    body = _loop_body([helper.make_node("MatMul", ["in", "turn"], ["out"])], ["N", width])
    nodes = [
        helper.make_node("Pad", ["x", "pads"], ["wide"]),
        helper.make_node("Loop", ["turns", "true", "wide"], ["turned"], body=body),
        helper.make_node("Gather", ["turned", "places"], ["y"], axis=1),
    ]
    return _model(nodes, _floats("x", "N", 4), _floats("y", "N", 4), weights)


def zeros_of_size() -> bytes:
    """int64 `size` (1,) to the sum of so many zeros, `y`: as much memory as the input asks for."""
    nodes = [
        helper.make_node("ConstantOfShape", ["size"], ["zeros"]),
        helper.make_node("ReduceSum", ["zeros"], ["y"], keepdims=0),
    ]
    return _model(nodes, helper.make_tensor_value_info("size", TensorProto.INT64, [1]), _floats("y"), {})


def thirsty(megabytes: int) -> bytes:
    """float32 `x` (N, 1) to itself, `y`, with so many megabytes on the way for each row."""
    weights = {"shape": np.array([1, megabytes * 2**18])}
    nodes = [
        helper.make_node("Expand", ["x", "shape"], ["wide"]),
        helper.make_node("ReduceMax", ["wide"], ["y"], axes=[1]),
    ]
    return _model(nodes, _floats("x", "N", 1), _floats("y", "N", 1), weights)
