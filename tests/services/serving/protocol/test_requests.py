"""Requests that fit a model, and each way not to."""

import json
import struct
import tracemalloc
from typing import Any

import numpy as np
import pytest

from services.errors import Invalid
from services.serving.protocol.datatypes import TensorSpec
from services.serving.protocol.requests import RequestedOutput, check_outputs, decode
from tests.services.serving.protocol.wire import Tensor, binary_request, json_request, pack

X = TensorSpec("x", "FP32", (-1, 2))
BYTE = TensorSpec("byte", "UINT8", (-1, 3))
TEXT = TensorSpec("text", "BYTES", (-1, 2))


def refusal(body: bytes, header_length: int | None, *specs: TensorSpec) -> str:
    with pytest.raises(Invalid) as raised:
        decode(body, header_length, specs)
    detail = raised.value.detail
    assert detail.endswith(".")
    assert len(detail) < 1000
    return detail


def given(datatype: str = "FP32", shape: Any = (1, 2), name: Any = "x", **rest: Any) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape, **rest}


def document(*inputs: Any, **rest: Any) -> bytes:
    return json.dumps({"inputs": inputs, **rest}).encode()


# --- What fits --------------------------------------------------------------------------------------


def test_json_data_may_be_flat_or_nested() -> None:
    for data in ([1, 2, 3, 4.5], [[1, 2], [3, 4.5]]):
        request = decode(document(given(shape=[2, 2], data=data)), None, [X])
        assert request.inputs["x"].dtype == np.float32
        assert request.inputs["x"].tolist() == [[1.0, 2.0], [3.0, 4.5]]


def test_binary_data_is_a_view_of_the_body_at_any_address() -> None:
    for padding in range(4):
        body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.5, -2.0]), id="i" * padding)
        array = decode(body, length, [X]).inputs["x"]
        assert array.tolist() == [[1.5, -2.0]]
        assert np.shares_memory(array, np.frombuffer(body, np.uint8))
        assert not array.flags.writeable


def test_binary_data_follow_in_the_order_of_the_request_with_json_data_between() -> None:
    x, byte, text = [1.0, 2.0], [1, 2, 255], ["ab", "ü"]
    inputs = (
        given("UINT8", [1, 3], "byte", parameters={"binary_data_size": 3}),
        given(data=x),
        given("BYTES", [1, 2], "text", parameters={"binary_data_size": 12}),
    )
    header = document(*inputs)
    request = decode(header + bytes(byte) + pack("BYTES", text), len(header), [X, TEXT, BYTE])
    assert {name: array.tolist() for name, array in request.inputs.items()} == {
        "byte": [byte],
        "x": [x],
        "text": [text],
    }


def test_what_a_request_says_beside_its_inputs() -> None:
    body = document(
        given(data=[1, 2]),
        id="42",
        model_name="ignored, as in an example of the protocol",
        parameters={"priority": 3, "timeout": 1_500_000, "binary_data_output": True, "mine": "a"},
        outputs=[{"name": "b", "parameters": {"binary_data": True}}, {"name": "a"}],
    )
    request = decode(body, None, [X])
    assert request.header.id == "42"
    assert request.header.outputs == (RequestedOutput("b", True), RequestedOutput("a", False))
    assert request.header.parameters == {"priority": 3, "timeout": 1_500_000, "binary_data_output": True, "mine": "a"}
    assert request.header.binary_by_default
    assert (request.header.priority, request.header.timeout_seconds) == (3, 1.5)


def test_what_a_request_leaves_out_or_gives_as_null() -> None:
    choices: list[dict[str, Any]] = [
        {},
        {"id": None, "outputs": None, "parameters": None},
        {"outputs": []},
        {"parameters": {"timeout": 0, "priority": None}},
    ]
    for rest in choices:
        request = decode(document(given(data=[1, 2], parameters=None), **rest), None, [X])
        assert (request.header.id, request.header.outputs, request.header.parameters.get("priority")) == (
            None,
            None,
            None,
        )
        assert (request.header.priority, request.header.timeout_seconds, request.header.binary_by_default) == (
            0,
            None,
            False,
        )


def test_a_scalar_and_an_empty_variable_dimension() -> None:
    scalar, past = TensorSpec("scalar", "INT64", ()), TensorSpec("past", "FP32", (-1, -1, 4))
    flat: list[Any] = []
    for data in (flat, [flat]):
        body = document(given("INT64", [], "scalar", data=[7]), given("FP32", [1, 0, 4], "past", data=data))
        arrays = decode(body, None, [scalar, past]).inputs
        assert (arrays["scalar"].shape, int(arrays["scalar"])) == ((), 7)
        assert arrays["past"].shape == (1, 0, 4)
    body, length = binary_request(Tensor("past", "FP32", [1, 0, 4], []))
    assert decode(body, length, [past]).inputs["past"].shape == (1, 0, 4)


def test_a_model_without_inputs() -> None:
    assert decode(b"{}", None, []).inputs == {}


# --- What is kept -----------------------------------------------------------------------------------


def test_requests_with_equal_headers_share_nothing_that_can_be_changed() -> None:
    header = document(
        given(data=[1, 2]), given("UINT8", [1, 3], "byte", parameters={"binary_data_size": 3}), parameters={"mine": 1}
    )
    first = decode(header + b"abc", len(header), [X, BYTE])
    with pytest.raises(TypeError):
        first.header.parameters["mine"] = 2  # type: ignore[index]
    first.inputs.pop("x")
    second = decode(header + b"xyz", len(header), [X, BYTE])
    assert second.header.parameters == {"mine": 1}
    assert second.inputs["x"].tolist() == [[1.0, 2.0]]
    assert second.inputs["byte"].tobytes() == b"xyz"
    assert first.inputs["byte"].tobytes() == b"abc"
    with pytest.raises(ValueError):
        second.inputs["x"][0, 0] = 5.0


def test_a_kept_header_is_of_one_model_only() -> None:
    body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.0, 2.0]))
    decode(body, length, [X])
    assert "'FP32'" in refusal(body, length, TensorSpec("x", "FP64", (-1, 2)))
    assert decode(body, length, [TensorSpec("x", "FP32", (1, -1))]).inputs["x"].shape == (1, 2)


def test_a_refused_header_is_refused_again() -> None:
    body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.0, 2.0]))
    for _ in range(2):
        assert "3 bytes follow" in refusal(body[:-5], length, X)
        assert "no input 'x'" in refusal(body, length, BYTE)
    assert decode(body, length, [X]).inputs["x"].tolist() == [[1.0, 2.0]]


def test_a_header_too_long_to_be_kept_is_read_all_the_same() -> None:
    body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.0, 2.0]), id="i" * 10_000)
    assert decode(body, length, [X]).header.id == "i" * 10_000


# --- Raw requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("datatype", "shape", "body", "expected"),
    [
        ("FP32", (-1, 2), pack("FP32", [1.0, 2.0]), [[1.0, 2.0]]),
        ("UINT8", (-1, -1), b"abc", [[97, 98, 99]]),
        ("UINT8", (-1, 2, -1), b"abcd", [[[97, 98], [99, 100]]]),
        ("UINT8", (2, -1), b"abcd", [[97, 98], [99, 100]]),
        ("UINT8", (-1, -1), b"", [[]]),
        ("BYTES", (-1, 1), b"any text", [["any text"]]),
        ("BYTES", (-1,), b"", [""]),
    ],
)
def test_a_raw_request_is_one_input_of_batch_1(
    datatype: str, shape: tuple[int, ...], body: bytes, expected: Any
) -> None:
    request = decode(body, 0, [TensorSpec("x", datatype, shape)])
    assert request.inputs["x"].tolist() == expected
    assert (request.header.outputs, request.header.binary_by_default, request.header.id) == (None, True, None)


@pytest.mark.parametrize(
    ("spec", "body", "words"),
    [
        (X, bytes(16), "has 8"),
        (X, bytes(7), "has 8"),
        (X, b"", "has 8"),
        (TensorSpec("x", "FP32", (-1, -1, 2)), bytes(12), "12 bytes"),
        (TensorSpec("x", "FP32", (-1, -1, -1)), bytes(8), "do not tell the shape"),
        (TensorSpec("x", "BYTES", (-1, -1)), b"text", "do not tell the shape"),
        (TEXT, b"text", "2 elements"),
        (TensorSpec("x", "BYTES", (-1, 1)), b"\xff", "not UTF-8"),
        (TensorSpec("x", "UINT8", (-1, 0, -1)), b"a", "has 0"),
    ],
)
def test_a_raw_request_that_does_not_fit(spec: TensorSpec, body: bytes, words: str) -> None:
    detail = refusal(body, 0, spec)
    assert repr(spec.name) in detail
    assert words in detail


def test_a_raw_request_for_a_model_with_other_than_one_input() -> None:
    assert "'x', 'byte'" in refusal(bytes(8), 0, X, BYTE)
    refusal(b"", 0)


# --- Headers and JSON -------------------------------------------------------------------------------


@pytest.mark.parametrize("header_length", [-1, -(2**70), 10_000, 2**70])
def test_a_header_below_0_or_beyond_the_body(header_length: int) -> None:
    assert f"is {header_length} and the body has 9 bytes" in refusal(b"{} 123456", header_length, X)


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 100])
def test_bytes_left_over(extra: bytes) -> None:
    body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.0, 2.0]))
    assert f"{8 + len(extra)} bytes follow" in refusal(body + extra, length, X)


def test_bytes_missing() -> None:
    body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.0, 2.0]))
    for cut in range(1, 9):
        assert f"{8 - cut} bytes follow the JSON" in refusal(body[:-cut], length, X)


def test_binary_data_without_the_header() -> None:
    body, length = binary_request(Tensor("x", "FP32", [1, 2], [1.0, 2.0]))
    assert "Inference-Header-Content-Length" in refusal(body, None, X)
    assert "0 bytes follow the JSON" in refusal(body[:length], None, X)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_json_does_not_have(number: str) -> None:
    body = document(given(data=["?", 1])).replace(b'"?"', number.encode())
    assert "NaN and infinities as binary data" in refusal(body, None, X)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"3", b"null", b"\xff", b"{", b'{"inputs": ' + b"[" * 100_000, b'{"a": "\\ud800"}', b"{} {}"]
)
def test_what_is_no_json_object(body: bytes) -> None:
    refusal(body, None, X)


@pytest.mark.parametrize(
    ("pair", "key"),
    [
        (b'"data": [1, 2]', "data"),
        (b'"inputs": [', "inputs"),
        (b'"id": "one"', "id"),
        (b'"binary_data_output": false', "binary_data_output"),
    ],
)
def test_a_key_twice_in_one_object(pair: bytes, key: str) -> None:
    whole = document(given(data=[1, 2]), id="one", parameters={"binary_data_output": False})
    decode(whole, None, [X])
    before = pair if pair[-1:] != b"[" else pair + b"]"
    assert f"'{key}': this key occurs twice" in refusal(whole.replace(pair, before + b", " + pair), None, X)


def test_a_request_whose_keys_all_differ_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", None)
    decode(document(given(data=[1, 2]), outputs=[{"name": "y"}], parameters={"priority": 1}), None, [X])


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ({"id": 5}, "`id`"),
        ({"parameters": []}, "the request"),
        ({"parameters": {"deep": [1]}}, "the request"),
        ({"parameters": {"priority": 10}}, "`priority` is a whole number from 0 to 9"),
        ({"parameters": {"priority": -1}}, "`priority`"),
        ({"parameters": {"priority": True}}, "`priority`"),
        ({"parameters": {"priority": 1.0}}, "`priority`"),
        ({"parameters": {"timeout": -1}}, "`timeout` is a whole number from 0 up"),
        ({"parameters": {"timeout": "1"}}, "`timeout`"),
        ({"parameters": {"timeout": 2**64}}, "`timeout`"),
        ({"parameters": {"binary_data_output": 1}}, "`binary_data_output`"),
        ({"outputs": {}}, "`outputs`"),
        ({"outputs": ["y"]}, "`outputs`"),
        ({"outputs": [{}]}, "`name`"),
        ({"outputs": [{"name": ["y"]}]}, "`name`"),
        ({"outputs": [{"name": "y"}, {"name": "y"}]}, "'y'"),
        ({"outputs": [{"name": "y", "parameters": {"binary_data": "yes"}}]}, "`binary_data` of the output 'y'"),
        ({"outputs": [{"name": "y", "parameters": {"classification": 3}}]}, "`classification` of the output 'y'"),
        ({"outputs": [{"name": "y", "parameters": {"shared_memory_region": "r"}}]}, "`shared_memory_region`"),
    ],
)
def test_what_is_wrong_beside_the_inputs(rest: dict[str, Any], words: str) -> None:
    assert words in refusal(document(given(data=[1, 2]), **rest), None, X)


# --- Inputs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([], "lacks the input 'x', 'byte'"),
        ([given(data=[1, 2])], "lacks the input 'byte'"),
        ([given(data=[1, 2])] * 2, "'x' is given twice"),
        ([given(name="y", data=[1, 2])], "no input 'y'; its inputs are 'x', 'byte'"),
        ([given(name="y" * 5000, data=[1, 2])], "no input 'yyy"),
        ([{}], "no input None"),
        ([given(name=["x"])], "no input a list"),
        ([given("FP64", data=[1, 2])], "'FP64'; the model takes FP32"),
        ([given("BF16", data=[1, 2])], "'BF16'; the model takes FP32"),
        ([{"name": "x", "shape": [1, 2], "data": [1, 2]}], "None; the model takes FP32"),
        ([given()], "either `data`"),
        ([given(data=[1, 2], parameters={"binary_data_size": 8})], "not both"),
        ([given(parameters={"binary_data_size": -8})], "`binary_data_size` of the input 'x'"),
        ([given(parameters={"binary_data_size": 8.0})], "`binary_data_size` of the input 'x'"),
        ([given(parameters={"binary_data_size": True})], "`binary_data_size` of the input 'x'"),
        ([given(parameters={"binary_data_size": 12})], "12 bytes of binary data; the shape [1, 2] of FP32 has 8"),
        ([given(parameters={"binary_data_size": 2**63})], "of FP32 has 8"),
        ([given(parameters={"shared_memory_region": "r"})], "`shared_memory_region` of the input 'x'"),
        ([given(parameters=[])], "`parameters` of the input 'x'"),
        ([3], "`inputs` is a list of objects"),
    ],
)
def test_inputs_that_are_not_the_models(inputs: list[Any], words: str) -> None:
    assert words in refusal(document(*inputs), None, X, BYTE)


@pytest.mark.parametrize("shape", [None, 2, "1,2", {}, [1, "2"], [1, 2.0], [True, 2], [-1, 2], [1, None], [[1, 2]]])
def test_what_is_no_shape(shape: Any) -> None:
    assert "'x' a `shape`" in refusal(document(given(shape=shape, data=[1, 2])), None, X)


@pytest.mark.parametrize("shape", [[], [2], [1, 2, 1], [1, 3], [2, 1], [0, 2], [1] * 10_000])
def test_shapes_that_are_not_the_models(shape: list[int]) -> None:
    detail = refusal(document(given(shape=shape, data=[1, 2])), None, X)
    assert "'x' has the shape" in detail
    assert "[-1, 2]" in detail


@pytest.mark.parametrize("shape", [[2**40, 1, 1], [2**32, 2**32, 1], [2**64 - 1] * 3, [2**63, 0, 2], [1, 2**39, 1]])
def test_a_gigantic_shape_takes_no_memory(shape: list[int]) -> None:
    spec = TensorSpec("x", "FP32", (-1, -1, -1))
    bodies = [document(given(shape=shape, data=data)) for data in ([1, 2], [])]
    bodies += [document(given(shape=shape, parameters={"binary_data_size": size})) for size in (8, 0)]
    tracemalloc.start()
    for body in bodies:
        assert "'x'" in refusal(body, None, spec)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize(
    "data", [5, "ab", {}, [], [1], [1, 2, 3], [[1]], [[1, 2], [3]], [[1], [2]], [[1, 2], 3], [1, [2]], [[[1, 2]]], [[]]]
)
def test_data_that_do_not_fit_the_shape(data: Any) -> None:
    assert "'x'" in refusal(document(given(data=data)), None, X)


@pytest.mark.parametrize(
    ("datatype", "value", "expected"),
    [
        ("UINT8", 256, "whole numbers from 0 to 255"),
        ("UINT8", -1, "whole numbers from 0 to 255"),
        ("UINT8", 1.0, "whole numbers"),
        ("UINT8", True, "whole numbers"),
        ("UINT8", "1", "whole numbers"),
        ("UINT8", None, "whole numbers"),
        ("INT8", 128, "from -128 to 127"),
        ("INT32", 1.5, "whole numbers"),
        ("INT32", False, "whole numbers"),
        ("INT64", 2**63, "whole numbers"),
        ("INT64", 2**64, "whole numbers"),
        ("UINT64", -1, "whole numbers"),
        ("UINT64", 2**64, "whole numbers"),
        ("BOOL", 1, "true or false"),
        ("BOOL", "true", "true or false"),
        ("FP32", True, "numbers"),
        ("FP32", "1", "numbers"),
        ("FP32", None, "numbers"),
        ("FP32", 1e39, "numbers from -3.403e+38 to 3.403e+38"),
        ("FP64", False, "numbers"),
        ("BYTES", 1, "strings"),
        ("BYTES", None, "strings"),
    ],
)
def test_values_that_are_not_of_the_datatype(datatype: str, value: Any, expected: str) -> None:
    good = {"BOOL": True, "BYTES": "a"}.get(datatype, 1)
    spec = TensorSpec("x", datatype, (-1, 2))
    for data in ([value, good], [good, value], [[good, value]]):
        detail = refusal(document(given(datatype, data=data)), None, spec)
        assert f"'x' ({datatype})" in detail
        assert expected in detail


@pytest.mark.parametrize(
    ("datatype", "values"),
    [
        ("UINT8", [0, 255]),
        ("INT64", [-(2**63), 2**63 - 1]),
        ("UINT64", [0, 2**64 - 1]),
        ("FP32", [3.4028234663852886e38, 2**64 - 1]),
        ("FP64", [1.7976931348623157e308, -(2**63)]),
    ],
)
def test_values_at_the_ends_of_the_range(datatype: str, values: list[Any]) -> None:
    array = decode(document(given(datatype, data=values)), None, [TensorSpec("x", datatype, (-1, 2))]).inputs["x"]
    assert array[0].tolist() == [np.array(value, array.dtype) for value in values]


def test_fp16_is_binary_only() -> None:
    spec = TensorSpec("x", "FP16", (-1, 2))
    assert "send it to /v2 as binary data" in refusal(document(given("FP16", data=[1, 2])), None, spec)
    body, length = binary_request(Tensor("x", "FP16", [1, 2], [1.5, float("inf")]))
    assert decode(body, length, [spec]).inputs["x"].tolist() == [[1.5, float("inf")]]


def test_a_binary_bool_is_0_or_1() -> None:
    header = document(given("BOOL", parameters={"binary_data_size": 2}))
    spec = TensorSpec("x", "BOOL", (-1, 2))
    assert decode(header + b"\1\0", len(header), [spec]).inputs["x"].tolist() == [[True, False]]
    assert "each byte of it is 0 or 1" in refusal(header + b"\1\2", len(header), spec)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "end at the element 0"),
        (b"\0\0\0", "The element 0"),
        (pack("BYTES", ["a"]), "end at the element 1"),
        (pack("BYTES", ["a", "b", "c"]), "end at the element 2 with 5 bytes left"),
        (pack("BYTES", ["a", "b"]) + b"\0", "1 bytes left"),
        (pack("BYTES", ["a", "b"])[:-1], "The element 1"),
        (pack("BYTES", ["a"]) + struct.pack("<I", 2**32 - 1) + b"b", "The element 1"),
        (struct.pack("<I", 6) + pack("BYTES", ["a", "b"]), "The element 1"),
        (pack("BYTES", ["a", b"\xc3"]), "The element 1 of the input 'text' (BYTES) is not UTF-8"),
        (pack("BYTES", [b"\xed\xa0\x80", "b"]), "The element 0 of the input 'text' (BYTES) is not UTF-8"),
    ],
)
def test_bytes_elements_whose_lengths_lie(data: bytes, words: str) -> None:
    header = document(given("BYTES", [1, 2], "text", parameters={"binary_data_size": len(data)}))
    assert words in refusal(header + data, len(header), TEXT)


def test_bytes_elements_do_not_run_into_the_next_input() -> None:
    lying = struct.pack("<I", 1) + b"a" + struct.pack("<I", 4) + b"bc"
    inputs = (
        given("BYTES", [1, 2], "text", parameters={"binary_data_size": len(lying)}),
        given("UINT8", [1, 3], "byte", parameters={"binary_data_size": 3}),
    )
    header = document(*inputs)
    assert "The element 1 of the input 'text'" in refusal(header + lying + b"xyz", len(header), TEXT, BYTE)


# --- Outputs ----------------------------------------------------------------------------------------

OUTPUTS = (TensorSpec("p", "FP32", (-1, 3)), TensorSpec("half", "FP16", (-1, 3)))


def asking(parameters: dict[str, Any] | None = None, **outputs: bool) -> Any:
    named = [{"name": name, "parameters": {"binary_data": binary}} for name, binary in outputs.items()]
    return decode(json_request(Tensor("x", "FP32", [1, 2], [1, 2]), outputs=named, parameters=parameters), None, [X])


def test_outputs_that_a_model_can_give() -> None:
    for request in (asking(p=True), asking(p=False), asking(half=True, p=False), asking({"binary_data_output": True})):
        check_outputs(request.header, OUTPUTS)
    check_outputs(asking().header, OUTPUTS[:1])


def test_outputs_that_a_model_cannot_give() -> None:
    for request, words in (
        (asking(p=True, q=True), "no output 'q'; its outputs are 'p', 'half'"),
        (asking(half=False), "'half' is FP16"),
        (asking(), "'half' is FP16"),
    ):
        with pytest.raises(Invalid) as raised:
            check_outputs(request.header, OUTPUTS)
        assert words in raised.value.detail
