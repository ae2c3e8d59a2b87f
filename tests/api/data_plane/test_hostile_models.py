"""Users' graphs that misbehave for some inputs: the gateway lives on, and whoever asks for another model waits not."""

import json
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import MIB, Gateway, add_version, running_gateway
from tests.api.data_plane.conftest import register
from tests.api.data_plane.wire import ENDLESS, MIRROR, PRICES, Reply, read, request, rows, tensor
from tests.serving_models import lookup, mirror, sequence_reader, tensors_signature, thirsty, zeros_of_size
from tests.stack import free_port

ZEROS = "/v2/models/zeros/infer"
BELOW_ZERO = np.full((1, 2), -1, np.float32)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway with graphs as users might register them to do harm."""
    settings = Settings(home=tmp_path_factory.mktemp("hostile"), port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as running:
        register(settings)
        resources = Resources.open(settings)
        alone = tensors_signature(("size",), batchable=False)
        add_version(resources, "zeros", zeros_of_size(), alone, trusted=False, bounded=False)
        add_version(resources, "thirsty", thirsty(200), tensors_signature(), trusted=False, bounded=False)
        whole = tensors_signature(batchable=False)
        add_version(resources, "reader", sequence_reader(), whole, trusted=False)
        add_version(resources, "table", lookup(), tensors_signature(), trusted=False)
        add_version(resources, "wide", mirror(), tensors_signature(outputs=("y", "total")), trusted=False)
        resources.close()
        yield running


def ask(gateway: Gateway, message: bytes) -> Reply:
    with gateway.connect(timeout_seconds=60) as connection:
        connection.sendall(message)
        return read(connection)


def sized(size: int) -> bytes:
    """A request for so many zeros."""
    given = {"name": "size", "shape": [1], "datatype": "INT64", "data": [size]}
    return request(ZEROS, json.dumps({"inputs": [given]}).encode())


def rss(gateway: Gateway) -> int:
    return int(psutil.Process(gateway.process.pid).memory_info().rss)


def healthy(gateway: Gateway) -> None:
    """Models that run on the loop and on threads are answered."""
    assert ask(gateway, request(PRICES, rows(4))).json["predictions"] == [{"value": 8.0}]
    assert ask(gateway, request(ENDLESS, tensor(-BELOW_ZERO))).status == 200
    assert gateway.process.poll() is None


@pytest.mark.parametrize("path", [ENDLESS, "/v1/models/endless/predict"])
def test_an_endless_run_ends_at_its_deadline_and_holds_nobody_up(hostile: Gateway, path: str) -> None:
    body = tensor(BELOW_ZERO) if path == ENDLESS else b'{"inputs": [[-1, -1]]}'
    assert ask(hostile, request(ENDLESS, tensor(-BELOW_ZERO))).status == 200
    with hostile.connect() as connection:
        connection.sendall(request(path, body, "X-Timeout-Ms: 1500"))
        for number in range(20):
            assert ask(hostile, request(PRICES, rows(number))).status == 200
        connection.settimeout(0.01)
        with pytest.raises(TimeoutError):
            read(connection)
        connection.settimeout(20)
        assert read(connection).status == 504
    healthy(hostile)


def test_many_endless_runs_at_once_all_end(hostile: Gateway) -> None:
    connections = [hostile.connect() for _ in range(30)]
    for connection in connections:
        connection.sendall(request(ENDLESS, tensor(BELOW_ZERO), "X-Timeout-Ms: 700"))
    assert ask(hostile, request(PRICES, rows(1))).status == 200
    for connection in connections:
        with connection:
            assert read(connection).status == 504
    healthy(hostile)


def test_memory_that_an_input_asks_for_is_bounded(hostile: Gateway) -> None:
    healthy(hostile)
    before = rss(hostile)
    for size in (2**28 + 1, 2**32, 2**40, 2**61, 2**62, 2**63 - 1, -1, -(2**63)):
        reply = ask(hostile, sized(size))
        assert reply.status == 400, size
        assert "error" in reply.json
        assert rss(hostile) - before < 300 * MIB
    for megabytes in range(1, 100):
        assert ask(hostile, sized(megabytes * 2**18)).json["outputs"][0]["data"] == [0.0]
    assert rss(hostile) - before < 300 * MIB, "what a run has taken is given back"
    healthy(hostile)


def test_a_user_cannot_use_up_the_memory_of_another(hostile: Gateway) -> None:
    """Ever larger pieces, then many at once, by one graph; the other still gets its 200 MiB."""
    one = request("/v1/models/thirsty/predict", b'{"inputs": [[1]]}')
    assert ask(hostile, one).status == 200
    for megabytes in (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987):
        assert ask(hostile, sized(megabytes * 2**18)).status == 200
    assert ask(hostile, one).status == 200
    many = request("/v1/models/thirsty/predict", json.dumps({"inputs": [[1]] * 64}).encode())
    assert (ask(hostile, many).status, ask(hostile, one).status) == (422, 200)


def test_a_bad_input_fails_alone(hostile: Gateway) -> None:
    def body(number: int) -> bytes:
        return json.dumps({"inputs": [number]}).encode()

    connections = [hostile.connect() for _ in range(40)]
    for number, connection in enumerate(connections):
        connection.sendall(request("/v1/models/table/predict", body(number % 12)))
    for number, connection in enumerate(connections):
        with connection:
            reply = read(connection)
        if number % 12 < 10:
            assert reply.json["predictions"] == [{"outputs": {"y": float(number % 12) ** 2}}]
        else:
            assert (reply.status, reply.json["code"]) == (422, "inference_failed")
            assert b"Gather" not in reply.body


def test_a_sequence_without_length_is_refused(hostile: Gateway) -> None:
    """ONNX Runtime 1.32 would end the process in it."""
    path = "/v2/models/reader/infer"
    assert ask(hostile, request(path, tensor(np.ones((1, 1, 4), np.float32)))).status == 200
    assert ask(hostile, request(path, tensor(np.ones((1, 0, 4), np.float32)))).status == 400
    assert ask(hostile, request("/v1/models/lengths/predict", b'{"inputs": [[]]}')).status == 422
    healthy(hostile)


def test_rows_that_no_batch_has_are_refused(hostile: Gateway) -> None:
    for shape in ((0, 4), (1, 3), (1, 0), (4,), (1, 4, 1)):
        assert ask(hostile, request(MIRROR, tensor(np.zeros(shape, np.float32)))).status == 400
    healthy(hostile)
