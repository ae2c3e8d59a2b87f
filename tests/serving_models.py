"""Two small networks as ONNX, made by hand so that no test needs torch."""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def _model(nodes: list[onnx.NodeProto], given: Any, taken: Any, weights: dict[str, np.ndarray]) -> bytes:
    tensors = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "test", [given], [taken], tensors)
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
