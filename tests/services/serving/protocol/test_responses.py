"""Responses as a client reads them."""

import json
from typing import Any

import numpy as np
import pytest

from services.errors import Invalid
from services.serving.protocol.datatypes import TensorSpec
from services.serving.protocol.requests import Header, RequestedOutput
from services.serving.protocol.responses import encode, metadata
from tests.services.serving.protocol.wire import pack, read_response

A = np.array([[1.5, -2.0, 0.1]], np.float32)
B = np.array([["é", "", "null"]], object)


def asking(*outputs: tuple[str, bool], binary_by_default: bool = False, request_id: str | None = None) -> Header:
    requested = tuple(RequestedOutput(*output) for output in outputs) or None
    return Header(request_id, (), 0, requested, {}, binary_by_default, 0, None)


def test_json_only_has_no_header_length() -> None:
    body, header_length = encode(asking(), "digits", "3", {"a": A, "b": B})
    assert header_length is None
    assert json.loads(body) == {
        "model_name": "digits",
        "model_version": "3",
        "outputs": [
            {"name": "a", "datatype": "FP32", "shape": [1, 3], "data": [1.5, -2.0, 0.1]},
            {"name": "b", "datatype": "BYTES", "shape": [1, 3], "data": ["é", "", "null"]},
        ],
    }


def test_binary_outputs_follow_the_json_in_its_order() -> None:
    body, header_length = encode(asking(binary_by_default=True), "digits", "3", {"b": B, "a": A})
    assert header_length is not None
    texts = pack("BYTES", ["é", "", "null"])
    assert json.loads(body[:header_length])["outputs"] == [
        {"name": "b", "datatype": "BYTES", "shape": [1, 3], "parameters": {"binary_data_size": len(texts)}},
        {"name": "a", "datatype": "FP32", "shape": [1, 3], "parameters": {"binary_data_size": 12}},
    ]
    assert body[header_length:] == texts + pack("FP32", [1.5, -2.0, 0.1])


def test_only_requested_outputs_in_the_requested_order_each_in_its_form() -> None:
    request = asking(("c", False), ("a", True), binary_by_default=True)
    outputs = {"a": A, "b": B, "c": np.array([True, False])}
    header, read = read_response(*encode(request, "m", "1", outputs))
    assert [output["name"] for output in header["outputs"]] == ["c", "a"]
    assert header["outputs"][0]["data"] == [True, False]
    assert read["a"] == ("FP32", [1, 3], pytest.approx([1.5, -2.0, 0.1]))


@pytest.mark.parametrize("request_id", ["", "42", '"},\\\n\0', "ü" * 1000])
def test_the_id_is_echoed(request_id: str) -> None:
    for binary in (True, False):
        request = asking(("a", binary), request_id=request_id)
        header, _ = read_response(*encode(request, "m", "1", {"a": A}))
        assert header["id"] == request_id
        assert "id" not in read_response(*encode(asking(("a", binary)), "m", "1", {"a": A}))[0]


def test_names_are_escaped() -> None:
    name = 'a"\\\n'
    header, read = read_response(*encode(asking(binary_by_default=True), name, name, {name: A}))
    assert (header["model_name"], header["model_version"], [*read]) == (name, name, [name])


def test_equal_descriptions_do_not_mix_up_data_models_or_sizes() -> None:
    request = asking(binary_by_default=True)
    for model in ("m", "n"):
        for rows in (1, 2, 1):
            for dtype, datatype in ((np.float32, "FP32"), (np.int32, "INT32")):
                array = np.arange(rows * 3, dtype=dtype).reshape(rows, 3)
                header, read = read_response(*encode(request, model, "1", {"a": array}))
                assert header["model_name"] == model
                assert read == {"a": (datatype, [rows, 3], list(range(rows * 3)))}


@pytest.mark.parametrize("binary", [True, False])
def test_any_layout_in_memory_is_written_row_by_row(binary: bool) -> None:
    base = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    texts = np.array([["a", "b"], ["c", "d"]], object)
    for array in (base.T, base[::-1, :, ::2], base[:, 1], texts.T, np.array(7, np.int16), base[:0]):
        _, read = read_response(*encode(asking(("a", binary)), "m", "1", {"a": array}))
        assert read["a"][1:] == (list(array.shape), array.flatten().tolist())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinities_are_binary_only(value: float, dtype: Any) -> None:
    array = np.array([1.0, value], dtype)
    with pytest.raises(Invalid) as raised:
        encode(asking(("good", False), ("bad", False)), "m", "1", {"good": A, "bad": array})
    assert "'bad'" in raised.value.detail
    assert "`binary_data`" in raised.value.detail
    _, read = read_response(*encode(asking(("bad", True)), "m", "1", {"bad": array}))
    np.testing.assert_array_equal(read["bad"][2], array)


def test_fp16_is_binary_only() -> None:
    outputs = {"half": np.array([0.5], np.float16)}
    with pytest.raises(Invalid) as raised:
        encode(asking(("half", False)), "m", "1", outputs)
    assert "'half' is FP16" in raised.value.detail
    assert read_response(*encode(asking(("half", True)), "m", "1", outputs))[1] == {"half": ("FP16", [1], [0.5])}


def test_the_metadata_of_a_model() -> None:
    image, scores = TensorSpec("image", "UINT8", (-1, 1, 28, 28)), TensorSpec("scores", "FP32", (-1, 10))
    document = metadata("digits", ["1", "2"], [image], [scores])
    assert json.loads(json.dumps(document)) == {
        "name": "digits",
        "versions": ["1", "2"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 1, 28, 28]}],
        "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 10]}],
    }
