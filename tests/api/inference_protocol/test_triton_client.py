"""Triton's own client from PyPI, unmodified and synchronous, against a gateway process."""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.http import InferenceServerClient as Client
from tritonclient.utils import InferenceServerException

from api.version import VERSION
from tests.api.conftest import Gateway

ROW = np.array([[1.5, -2.0, 3.25]], np.float32)
ONES = np.ones((1, 3), np.float32)


def tensor(name: str, array: np.ndarray, datatype: str, binary: bool = True) -> triton.InferInput:
    given = triton.InferInput(name, list(array.shape), datatype)
    return given.set_data_from_numpy(array, binary_data=binary)


def pair(first: bool = True, second: bool = True, a: np.ndarray = ROW, b: np.ndarray = ONES) -> list[triton.InferInput]:
    """The inputs of `sum`, each in binary or in JSON."""
    return [tensor("a", a, "FP32", first), tensor("b", b, "FP32", second)]


def refused(status: int, call: Callable[..., Any], *args: Any, **options: Any) -> str:
    with pytest.raises(InferenceServerException) as caught:
        call(*args, **options)
    assert caught.value.status() == str(status), caught.value
    message = caught.value.message()
    assert isinstance(message, str)
    assert "exception occurred in the client" not in message
    return message


def test_the_server_lives_is_ready_and_names_its_extensions(client: Client) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    metadata = client.get_server_metadata()
    assert (metadata["name"], metadata["version"]) == ("syllabus", VERSION)
    assert {"binary_tensor_data", "model_repository", "statistics", "model_configuration"} <= set(
        metadata["extensions"]
    )


def test_a_model_is_ready_if_it_can_answer(client: Client) -> None:
    assert client.is_model_ready("sum")
    assert client.is_model_ready("sum", "2")
    assert client.is_model_ready("Named.with_all-3")
    assert not client.is_model_ready("sum", "3")
    assert not client.is_model_ready("no such model")


def test_metadata_name_versions_and_tensors(client: Client) -> None:
    expected = {
        "name": "sum",
        "versions": ["1", "2"],
        "platform": "onnx_onnxv1",
        "inputs": [{"name": name, "datatype": "FP32", "shape": [-1, 3]} for name in ("a", "b")],
        "outputs": [{"name": name, "datatype": "FP32", "shape": [-1, 3]} for name in ("sum", "difference")],
    }
    assert client.get_model_metadata("sum") == expected
    assert client.get_model_metadata("sum", "1") == expected
    assert client.get_model_metadata("texts")["inputs"] == [{"name": "x", "datatype": "BYTES", "shape": [-1, -1]}]


def test_the_configuration_is_as_triton_writes_it(client: Client) -> None:
    config = client.get_model_config("sum", "1")
    assert config["platform"] == "onnxruntime_onnx"
    assert config["max_batch_size"] > 1
    assert config["input"] == [{"name": name, "data_type": "TYPE_FP32", "dims": [3]} for name in ("a", "b")]
    assert config["dynamic_batching"]["default_priority_level"] == 5
    assert config["instance_group"][0]["kind"] == "KIND_CPU"
    assert client.get_model_config("texts")["input"][0]["data_type"] == "TYPE_STRING"
    counts = client.get_model_config("counts")["output"]
    assert counts == [{"name": "y", "data_type": "TYPE_INT64", "dims": [1], "reshape": {"shape": []}}]


def test_the_configuration_of_whole_tensors_has_no_batch_dimension(client: Client) -> None:
    config = client.get_model_config("matrix")
    assert config["max_batch_size"] == 0
    assert config["input"][0]["dims"] == [-1, 2]
    assert "dynamic_batching" not in config


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_inputs_are_binary_or_json_or_both(client: Client, first: bool, second: bool) -> None:
    result = client.infer("sum", pair(first, second))
    np.testing.assert_array_equal(result.as_numpy("sum"), ROW + ONES)
    np.testing.assert_array_equal(result.as_numpy("difference"), ROW - ONES)


@pytest.mark.parametrize("binary", [True, False])
def test_the_outputs_that_are_asked_for_come_as_they_are_asked_for(client: Client, binary: bool) -> None:
    outputs = [
        triton.InferRequestedOutput("difference", binary_data=binary),
        triton.InferRequestedOutput("sum", binary_data=not binary),
    ]
    result = client.infer("sum", pair(), outputs=outputs)
    described = result.get_response()["outputs"]
    assert [output["name"] for output in described] == ["difference", "sum"]
    assert ["data" in output for output in described] == [not binary, binary]
    np.testing.assert_array_equal(result.as_numpy("difference"), ROW - ONES)
    np.testing.assert_array_equal(result.as_numpy("sum"), ROW + ONES)


def test_one_output_alone(client: Client) -> None:
    result = client.infer("sum", pair(), outputs=[triton.InferRequestedOutput("sum", binary_data=False)])
    assert [output["name"] for output in result.get_response()["outputs"]] == ["sum"]
    assert result.as_numpy("difference") is None


def test_the_answer_names_the_model_its_version_and_the_request(client: Client) -> None:
    response = client.infer("sum", pair(), request_id="r-1").get_response()
    assert (response["model_name"], response["model_version"], response["id"]) == ("sum", "2", "r-1")
    response = client.infer("sum", pair(), model_version="1").get_response()
    assert response["model_version"] == "1"
    assert "id" not in response


@pytest.mark.parametrize("request_encoding", [None, "gzip", "deflate"])
@pytest.mark.parametrize("response_encoding", [None, "gzip", "deflate"])
def test_bodies_may_be_compressed_both_ways(
    client: Client, request_encoding: str | None, response_encoding: str | None
) -> None:
    rows = np.tile(ROW, (300, 1))
    result = client.infer(
        "sum",
        pair(second=False, a=rows, b=rows),
        outputs=[triton.InferRequestedOutput("sum"), triton.InferRequestedOutput("difference", binary_data=False)],
        request_compression_algorithm=request_encoding,
        response_compression_algorithm=response_encoding,
    )
    np.testing.assert_array_equal(result.as_numpy("sum"), rows + rows)
    np.testing.assert_array_equal(result.as_numpy("difference"), rows - rows)


@pytest.mark.parametrize("binary", [True, False])
def test_texts_of_any_length_and_script(client: Client, binary: bool) -> None:
    texts = np.array([["", "a", "Grüße 世界"], ['\x00\n"', "0" * 1000, "\U0001f600"]], dtype=np.object_)
    outputs = [triton.InferRequestedOutput("y", binary_data=binary)]
    result = client.infer("texts", [tensor("x", texts, "BYTES", binary)], outputs=outputs).as_numpy("y")
    decoded = [[text.decode() if isinstance(text, bytes) else text for text in row] for row in result]
    assert decoded == texts.tolist()


@pytest.mark.parametrize(
    ("model", "datatype", "array", "expected"),
    [
        ("counts", "INT64", np.array([2**62 - 1, -3]), np.array([2**63 - 2, -6])),
        ("opposites", "BOOL", np.array([[True, False, False, True]]), np.array([[False, True, True, False]])),
    ],
)
@pytest.mark.parametrize("binary", [True, False])
def test_whole_numbers_and_flags_are_exact(
    client: Client, model: str, datatype: str, array: np.ndarray, expected: np.ndarray, binary: bool
) -> None:
    outputs = [triton.InferRequestedOutput("y", binary_data=binary)]
    result = client.infer(model, [tensor("x", array, datatype, binary)], outputs=outputs).as_numpy("y")
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, expected)


def test_half_precision_is_binary_only(client: Client) -> None:
    halves = np.array([[0.5, 65504 / 2], [-0.25, 6e-8]], np.float16)
    result = client.infer("halves", [tensor("x", halves, "FP16")]).as_numpy("y")
    np.testing.assert_array_equal(result, halves + halves)
    in_json = triton.InferRequestedOutput("y", binary_data=False)
    message = refused(400, client.infer, "halves", [tensor("x", halves, "FP16")], outputs=[in_json])
    assert "FP16" in message
    message = refused(400, client.infer, "halves", [tensor("x", halves, "FP16", binary=False)])
    assert "FP16" in message


def test_a_model_of_whole_tensors_gets_them_whole(client: Client) -> None:
    matrix = np.arange(10, dtype=np.float32).reshape(5, 2)
    result = client.infer("matrix", [tensor("x", matrix, "FP32")]).as_numpy("y")
    np.testing.assert_array_equal(result, matrix.T)


def test_special_floats_pass_in_binary(client: Client) -> None:
    special = np.array([[np.nan, np.inf, -0.0]], np.float32)
    result = client.infer("sequence", [tensor("x", special, "FP32")]).as_numpy("y")
    assert result.tobytes() == special.tobytes()
    in_json = triton.InferRequestedOutput("y", binary_data=False)
    refused(400, client.infer, "sequence", [tensor("x", special, "FP32")], outputs=[in_json])


def test_a_large_tensor_takes_the_ordinary_way(client: Client) -> None:
    rows = np.random.default_rng(0).normal(size=(40_000, 3)).astype(np.float32)
    result = client.infer("sequence", [tensor("x", rows, "FP32")]).as_numpy("y")
    np.testing.assert_array_equal(result, rows)


def test_bodies_that_the_client_makes_and_reads_by_itself(client: Client, served: Gateway) -> None:
    body, header_length = Client.generate_request_body(pair())
    assert header_length
    headers = {"Inference-Header-Content-Length": str(header_length)}
    response = httpx.post(f"{served.url}/v2/models/sum/infer", content=body, headers=headers)
    length = int(response.headers["inference-header-content-length"])
    result = Client.parse_response_body(response.content, header_length=length)
    np.testing.assert_array_equal(result.as_numpy("sum"), ROW + ONES)


def test_priorities_and_timeouts(client: Client) -> None:
    for priority in (0, 1, 9):
        assert client.infer("sum", pair(), priority=priority, timeout=5_000_000).as_numpy("sum") is not None
    assert "deadline" in refused(504, client.infer, "sum", pair(), timeout=1)
    assert "priority" in refused(400, client.infer, "sum", pair(), priority=10)


def test_own_parameters_are_taken_and_the_variant_among_them_is_read(client: Client) -> None:
    assert client.infer("sum", pair(), parameters={"tag": "x", "level": 3, "flag": True}).as_numpy("sum") is not None
    assert "int8" in refused(404, client.infer, "sum", pair(), parameters={"variant": "int8"})


def test_asynchronous_requests_keep_their_answers_apart(served: Gateway) -> None:
    with Client(f"127.0.0.1:{served.settings.port}", concurrency=8) as client:
        rows = [np.full((1, 3), number, np.float32) for number in range(32)]
        handles = [
            client.async_infer("sum", pair(a=row, b=row), request_id=f"r-{number}") for number, row in enumerate(rows)
        ]
        for number, handle in enumerate(handles):
            result = handle.get_result()
            assert result.get_response()["id"] == f"r-{number}"
            np.testing.assert_array_equal(result.as_numpy("sum"), rows[number] * 2)


def statistics_of(client: Client, name: str, version: str) -> dict[str, Any]:
    (document,) = client.get_inference_statistics(name, version)["model_stats"]
    assert (document["name"], document["version"]) == (name, version)
    found: dict[str, Any] = document
    return found


def test_statistics_count_up(client: Client) -> None:
    rows = np.zeros((3, 2), np.float32)
    client.infer("Named.with_all-3", [tensor("x", rows, "FP32")])
    before = statistics_of(client, "Named.with_all-3", "1")
    for _ in range(4):
        client.infer("Named.with_all-3", [tensor("x", rows, "FP32")])
    refused(400, client.infer, "Named.with_all-3", [tensor("x", rows[0], "FP32")])
    after = statistics_of(client, "Named.with_all-3", "1")

    assert after["inference_count"] - before["inference_count"] == 12
    assert after["execution_count"] - before["execution_count"] == 4
    assert after["last_inference"] >= before["last_inference"] > 1.6e12
    for part, count in {"success": 4, "fail": 1, "queue": 4, "compute_infer": 4, "cache_hit": 0}.items():
        old, new = before["inference_stats"][part], after["inference_stats"][part]
        assert new["count"] - old["count"] == count, part
        assert new["ns"] >= old["ns"]
    infer = after["inference_stats"]["compute_infer"]["ns"]
    assert 0 < infer < after["inference_stats"]["success"]["ns"]
    (of_three,) = [each for each in after["batch_stats"] if each["batch_size"] == 3]
    assert of_three["compute_infer"] == after["inference_stats"]["compute_infer"]


def test_statistics_of_all_versions_and_of_all_models(client: Client) -> None:
    versions = [each["version"] for each in client.get_inference_statistics("sum")["model_stats"]]
    assert versions == ["1", "2"]
    everything = {(each["name"], each["version"]) for each in client.get_inference_statistics()["model_stats"]}
    assert {("sum", "1"), ("sum", "2"), ("texts", "1"), ("Named.with_all-3", "1")} <= everything


def test_a_model_can_be_unloaded_and_loaded(client: Client) -> None:
    name = "opposites"

    def state() -> list[tuple[str, str]]:
        return [(each["state"], each["reason"]) for each in client.get_model_repository_index() if each["name"] == name]

    given = [tensor("x", np.ones((1, 4), bool), "BOOL")]
    client.infer(name, given)
    assert state() == [("READY", "")]

    client.unload_model(name)
    assert state() == [("UNAVAILABLE", "unloaded")]
    assert not client.is_model_ready(name)
    assert "unloaded" in refused(503, client.infer, name, given)
    for ask in (client.get_model_metadata, client.get_model_config, client.get_inference_statistics):
        refused(503, ask, name)
    client.unload_model(name, unload_dependents=True)

    client.load_model(name)
    assert state() == [("READY", "")]
    assert client.is_model_ready(name)
    client.infer(name, given)
    client.load_model(name)


def test_what_is_wrong_is_an_exception_with_status_and_message(client: Client) -> None:
    row = [tensor("x", np.zeros((1, 2), np.float32), "FP32")]
    for call in (
        client.get_model_metadata,
        client.get_model_config,
        client.get_inference_statistics,
        client.load_model,
        client.unload_model,
    ):
        assert "nope" in refused(404, call, "nope")
        refused(404, call, "no such model")
    assert "nope" in refused(404, client.infer, "nope", row)
    assert "version" in refused(404, client.infer, "sequence", row, model_version="9")
    assert "version" in refused(404, client.get_model_metadata, "sequence", "9")
    assert "version" in refused(404, client.get_inference_statistics, "sequence", "9")
    assert "no input 'x'" in refused(400, client.infer, "sum", row)
    assert "lacks" in refused(400, client.infer, "sum", pair()[:1])
    assert "datatype" in refused(400, client.infer, "counts", row)
    assert "shape" in refused(400, client.infer, "sum", pair(a=np.zeros((1, 4), np.float32)))
    assert "no output" in refused(400, client.infer, "sequence", row, outputs=[triton.InferRequestedOutput("z")])
    classes = triton.InferRequestedOutput("y", class_count=2)
    assert "classification" in refused(400, client.infer, "sequence", row, outputs=[classes])


def test_a_model_is_loaded_as_it_was_registered(client: Client) -> None:
    assert "registered" in refused(400, client.load_model, "sum", config='{"max_batch_size": 1}')
    files = {"file:1/model.onnx": b"graph"}
    assert "registered" in refused(400, client.load_model, "sum", config="{}", files=files)
    refused(404, client.get_trace_settings)


def test_a_body_over_the_limit_is_413(client: Client) -> None:
    refused(413, client.infer, "sequence", [tensor("x", np.zeros((1, 300_000), np.float32), "FP32")])
