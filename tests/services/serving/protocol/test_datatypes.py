"""The table of datatypes, against ONNX Runtime itself."""

from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from services.errors import Invalid
from services.serving.protocol.datatypes import DTYPES, TensorSpec, datatype_of, spec_of
from services.serving.protocol.requests import decode
from services.serving.protocol.responses import encode
from tests.services.serving.protocol.wire import DATATYPES, Tensor, binary_request, read_response

ONNX_TYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def identity(onnx_type: int, shape: list[Any]) -> onnxruntime.InferenceSession:
    given = helper.make_tensor_value_info("given", onnx_type, shape)
    taken = helper.make_tensor_value_info("taken", onnx_type, shape)
    graph = helper.make_graph([helper.make_node("Identity", ["given"], ["taken"])], "test", [given], [taken])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_datatype_goes_through_onnx_runtime_and_back(datatype: str) -> None:
    session = identity(ONNX_TYPES[datatype], ["N", None, 2])
    node = session.get_inputs()[0]
    spec = spec_of(node.name, node.type, node.shape)
    assert spec == TensorSpec("given", datatype, (-1, -1, 2))

    choices: dict[str, list[Any]] = {"BOOL": [True, False], "BYTES": ["é", ""]}
    elements = choices.get(datatype, [1, 2])
    for padding in ("", "x", "xx", "xxx"):  # moves the data to any address
        body, length = binary_request(Tensor("given", datatype, [1, 1, 2], elements), id=padding)
        request = decode(body, length, [spec])
        outputs = dict(zip(["taken"], session.run(["taken"], request.inputs), strict=True))
        header = replace(request.header, binary_by_default=True)
        answer = read_response(*encode(header, "m", "1", outputs))[1]
        assert answer == {"taken": (datatype, [1, 1, 2], elements)}


@pytest.mark.parametrize(
    "onnx_type", ["tensor(bfloat16)", "tensor(complex64)", "seq(tensor(float))", "map(string,tensor(float))", ""]
)
def test_other_types_of_onnx_are_refused_by_name(onnx_type: str) -> None:
    with pytest.raises(Invalid) as raised:
        spec_of("scores", onnx_type, [1])
    assert raised.value.code == "datatype_unknown"
    assert "'scores'" in raised.value.detail
    assert onnx_type in raised.value.detail
    assert "tensor(float16)" in raised.value.detail


def test_dimensions_without_a_number_are_variable() -> None:
    assert spec_of("x", "tensor(float)", ["batch", None, 3, 0, -1]).shape == (-1, -1, 3, 0, -1)
    assert spec_of("x", "tensor(float)", []).shape == ()


def test_the_table_is_the_same_in_both_directions() -> None:
    assert {datatype: datatype_of(dtype) for datatype, dtype in DTYPES.items()} == {name: name for name in DATATYPES}


@pytest.mark.parametrize("dtype", ["complex64", ">f4", "datetime64[s]", "<U3"])
def test_other_dtypes_of_numpy_are_refused(dtype: str) -> None:
    with pytest.raises(Invalid):
        datatype_of(np.dtype(dtype))
