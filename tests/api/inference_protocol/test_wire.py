"""The protocol byte by byte, as the specification and Triton's binary extension have it."""

import gzip
import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.api.conftest import Gateway
from tests.api.inference_protocol.conftest import MAX_BODY_BYTES, Answer, Send

SEQUENCE = "/v2/models/sequence/infer"
LENGTH = "Inference-Header-Content-Length"
FLOATS = struct.pack("<3f", 1, 2, 3)


def described(**changes: Any) -> dict[str, Any]:
    """The JSON of a request for `sequence`; a key that is changed to None is left out."""
    given = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3], **changes}
    return {"inputs": [{key: value for key, value in given.items() if value is not None}]}


def binary(document: dict[str, Any], data: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with binary data, and its headers."""
    head = json.dumps(document).encode()
    return head + data, {LENGTH: str(len(head))}


def split(answer: Answer) -> tuple[dict[str, Any], bytes]:
    """The JSON and the binary data of an answer."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/octet-stream"
    length = int(answer.headers["inference-header-content-length"])
    return json.loads(answer.body[:length]), answer.body[length:]


BINARY = described(data=None, parameters={"binary_data_size": 12})


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "application/octet-stream", None])
@pytest.mark.parametrize("data", [[1, 2, 3], [[1, 2, 3]]], ids=["flat", "nested"])
def test_json_in_json_out_whatever_it_is_called(send: Send, content_type: str | None, data: list[Any]) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    answer = send("POST", SEQUENCE, json.dumps({**described(data=data), "id": "42"}).encode(), headers)
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert LENGTH.lower() not in answer.headers
    assert answer.json == {
        "model_name": "sequence",
        "model_version": "1",
        "id": "42",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [1, 3], "data": [1.0, 2.0, 3.0]}],
    }


def test_the_header_may_be_given_where_all_is_json(send: Send) -> None:
    body, headers = binary(described(), b"")
    assert send("POST", SEQUENCE, body, headers).json["outputs"][0]["data"] == [1.0, 2.0, 3.0]


def test_binary_out_follows_the_json_in_its_order(send: Send) -> None:
    inputs = [
        {"name": name, "shape": [1, 3], "datatype": "FP32", "parameters": {"binary_data_size": 12}} for name in "ba"
    ]
    body, headers = binary(
        {"inputs": inputs, "parameters": {"binary_data_output": True}}, FLOATS + struct.pack("<3f", 10, 20, 30)
    )
    document, data = split(send("POST", "/v2/models/sum/infer", body, headers))
    assert [output["name"] for output in document["outputs"]] == ["sum", "difference"]
    assert [output["parameters"]["binary_data_size"] for output in document["outputs"]] == [12, 12]
    assert struct.unpack("<6f", data) == (11, 22, 33, 9, 18, 27)


def test_an_output_that_is_listed_without_a_word_is_json(send: Send) -> None:
    document = {**BINARY, "outputs": [{"name": "y"}], "parameters": {"binary_data_output": True}}
    answer = send("POST", SEQUENCE, *binary(document, FLOATS))
    assert answer.json["outputs"][0]["data"] == [1.0, 2.0, 3.0]


def test_a_raw_request_is_nothing_but_the_bytes_of_one_input(send: Send) -> None:
    document, data = split(send("POST", SEQUENCE, FLOATS, {LENGTH: "0"}))
    assert document["outputs"][0]["shape"] == [1, 3]
    assert data == FLOATS


def test_a_raw_request_for_two_inputs_or_of_half_a_number_is_400(send: Send) -> None:
    assert "one input" in send("POST", "/v2/models/sum/infer", FLOATS, {LENGTH: "0"}).error(400)
    send("POST", SEQUENCE, FLOATS[:-1], {LENGTH: "0"}).error(400)


@pytest.mark.parametrize(
    ("name", "encode", "decode"),
    [("gzip", gzip.compress, gzip.decompress), ("deflate", zlib.compress, zlib.decompress)],
)
def test_the_header_counts_uncompressed_bytes(
    send: Send, name: str, encode: Callable[[bytes], bytes], decode: Callable[[bytes], bytes]
) -> None:
    body, headers = binary({**BINARY, "parameters": {"binary_data_output": True}}, FLOATS)
    headers |= {"Content-Encoding": name, "Accept-Encoding": name}
    answer = send("POST", SEQUENCE, encode(body), headers)
    assert answer.headers["content-encoding"] == name
    content = decode(answer.body)
    assert content.endswith(FLOATS)
    assert json.loads(content[: int(answer.headers["inference-header-content-length"])])["model_name"] == "sequence"


@pytest.mark.parametrize("length", ["-1", "1e3", "12.0", "x", "", "99999999999999999999"])
def test_a_header_that_is_no_length_is_400(send: Send, length: str) -> None:
    body, _ = binary(BINARY, FLOATS)
    assert LENGTH in send("POST", SEQUENCE, body, {LENGTH: length}).error(400)


@pytest.mark.parametrize("beside", [1, -1, 1000])
def test_a_header_beside_the_json_is_400(send: Send, beside: int) -> None:
    body, headers = binary(BINARY, FLOATS)
    send("POST", SEQUENCE, body, {LENGTH: str(int(headers[LENGTH]) + beside)}).error(400)


@pytest.mark.parametrize("data", [FLOATS[:-1], FLOATS + b"\x00", b""], ids=["short", "surplus", "none"])
def test_short_and_left_over_bytes_are_400(send: Send, data: bytes) -> None:
    assert "binary_data_size" in send("POST", SEQUENCE, *binary(BINARY, data)).error(400)


@pytest.mark.parametrize(
    "document",
    [
        described(parameters={"binary_data_size": 12}),
        described(data=None),
        described(data=None, parameters={"binary_data_size": -1}),
        described(data=[1, 2]),
        described(data=["1", "2", "3"]),
        described(data=[[1, 2], [3]]),
        described(shape=[3]),
        described(shape=[1, -3]),
        described(shape=None),
        described(datatype="FP64"),
        described(datatype="BF16"),
        described(name="z"),
        {"inputs": []},
        {},
        [],
        {**described(), "id": 7},
        {**described(), "parameters": []},
        {**described(), "outputs": [{"name": "z"}]},
        {**described(), "outputs": [{"name": "y", "parameters": {"binary_data": "yes"}}]},
        {**described(), "parameters": {"timeout": -1}},
    ],
    ids=str,
)
def test_a_wrong_request_is_400_and_says_why(send: Send, document: Any) -> None:
    send("POST", SEQUENCE, json.dumps(document).encode()).error(400)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"inputs": NaN}', b"[" * 100_000])
def test_what_is_no_json_is_400(send: Send, body: bytes) -> None:
    send("POST", SEQUENCE, body).error(400)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/nothing"),
        ("POST", "/v2/models/sequence/inferx"),
        ("GET", "/v2/models/nope"),
        ("GET", "/v2/models/nope/ready"),
        ("GET", "/v2/models/nope/stats"),
        ("GET", "/v2/models/sequence/versions/0/ready"),
        ("GET", "/v2/models/sequence/versions/7"),
        ("GET", "/v2/models/%00/config"),
        ("POST", "/v2/models/nope/infer"),
        ("POST", "/v2/models/sequence/versions/9/infer"),
        ("POST", "/v2/models/..%2Fsum/infer"),
        ("POST", "/v2/repository/models/nope/load"),
        ("POST", "/v2/repository/models/nope/unload"),
    ],
)
def test_what_is_unknown_is_404(send: Send, method: str, path: str) -> None:
    body = json.dumps(described()).encode() if path.endswith("/infer") else b""
    send(method, path, body).error(404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", SEQUENCE, "POST"),
        ("PUT", "/v2/models/sequence/versions/1/infer", "POST"),
        ("POST", "/v2", "GET, HEAD"),
        ("DELETE", "/v2/models/sequence", "GET, HEAD"),
        ("POST", "/v2/models/stats", "GET, HEAD"),
        ("GET", "/v2/repository/index", "POST"),
        ("GET", "/v2/repository/models/sequence/load", "POST"),
    ],
)
def test_another_method_is_405(send: Send, method: str, path: str, allowed: str) -> None:
    answer = send(method, path)
    answer.error(405)
    assert answer.headers["allow"] == allowed


def test_an_unknown_encoding_is_415(send: Send) -> None:
    body = json.dumps(described()).encode()
    assert "gzip" in send("POST", SEQUENCE, body, {"Content-Encoding": "br"}).error(415)
    send("POST", SEQUENCE, body, {"Content-Encoding": "gzip, deflate"}).error(415)


def test_a_damaged_stream_is_400(send: Send) -> None:
    body = gzip.compress(json.dumps(described()).encode())
    send("POST", SEQUENCE, body[:-3], {"Content-Encoding": "gzip"}).error(400)
    send("POST", SEQUENCE, body + b"x", {"Content-Encoding": "gzip"}).error(400)
    send("POST", SEQUENCE, b"no gzip", {"Content-Encoding": "gzip"}).error(400)


def test_a_body_over_the_limit_is_413(send: Send) -> None:
    send("POST", SEQUENCE, b" " * (MAX_BODY_BYTES + 1)).error(413)


def test_a_decompression_bomb_is_413(send: Send) -> None:
    bomb = gzip.compress(b" " * (64 * MAX_BODY_BYTES))
    assert len(bomb) < MAX_BODY_BYTES
    send("POST", SEQUENCE, bomb, {"Content-Encoding": "gzip"}).error(413)


def test_names_and_paths_may_be_percent_encoded(send: Send) -> None:
    body = json.dumps(described()).encode()
    assert send("POST", "/v2/models/%73equence/infer", body).status == 200
    assert send("GET", "/v2/models/%4Eamed.with_all%2D3").json["name"] == "Named.with_all-3"


def test_a_query_and_a_repeated_header_take_the_ordinary_way(send: Send, served: Gateway) -> None:
    body, headers = binary(BINARY, FLOATS)
    assert send("POST", f"{SEQUENCE}?trace=1", body, headers).json["outputs"][0]["data"] == [1.0, 2.0, 3.0]
    head = f"POST {SEQUENCE} HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n"
    with served.connect() as connection:
        connection.sendall(f"{head}{LENGTH}: {headers[LENGTH]}\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        for piece in (body[:7], body[7:]):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b'"data":[1.0,2.0,3.0]' in answer


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_health_answers_get_and_head(send: Send, path: str) -> None:
    assert send("GET", path).json["live"] is True
    answer = send("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")


def test_the_server_is_described_with_and_without_a_slash(send: Send) -> None:
    assert send("GET", "/v2/").json == send("GET", "/v2").json


def test_a_model_says_that_it_is_ready(send: Send) -> None:
    assert send("GET", "/v2/models/sequence/ready").json == {"name": "sequence", "ready": True}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"ready": false}', b'{"ready": null}'])
def test_the_index_lists_all_unless_it_is_asked_for_ready_ones(send: Send, body: bytes) -> None:
    listed = send("POST", "/v2/repository/index", body).json
    assert [entry["version"] for entry in listed if entry["name"] == "sum"] == ["1", "2"]
    assert all(set(entry) == {"name", "version", "state", "reason"} for entry in listed)


def test_the_index_of_what_is_ready(send: Send) -> None:
    assert send("POST", "/v2/repository/models/matrix/unload").status == 200
    names = {entry["name"] for entry in send("POST", "/v2/repository/index", b'{"ready": true}').json}
    assert "matrix" not in names
    assert "sum" in names
    assert send("POST", "/v2/repository/models/matrix/load", b"{}").status == 200
    names = {entry["name"] for entry in send("POST", "/v2/repository/index", b'{"ready": true}').json}
    assert "matrix" in names


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("index", b'{"ready": "yes"}'),
        ("index", b"[]"),
        ("index", b"{"),
        ("models/sum/load", b'{"parameters": {"config": "{}"}}'),
        ("models/sum/load", b'{"parameters": {"file:1/model.onnx": "AA=="}}'),
        ("models/sum/load", b'{"parameters": []}'),
        ("models/sum/unload", b'{"parameters": {"unload_dependents": "yes"}}'),
        ("models/sum/unload", b'{"parameters": {"other": 1}}'),
    ],
)
def test_a_wrong_repository_request_is_400_and_changes_nothing(send: Send, path: str, body: bytes) -> None:
    send("POST", f"/v2/repository/{path}", body).error(400)
    assert send("GET", "/v2/models/sum/ready").status == 200
