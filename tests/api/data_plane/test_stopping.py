"""A gateway that is asked to stop while predictions are under way."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from services.resources import Resources
from services.settings import Settings
from tests.api.conftest import Gateway, add_version, running_gateway
from tests.api.data_plane.conftest import register
from tests.api.data_plane.wire import ENDLESS, PRICES, read, request, rows, tensor
from tests.serving_models import slow, tensors_signature
from tests.stack import free_port, wait_until

SLOW = "/v2/models/slow/infer"
PATIENT = "X-Timeout-Ms: 60000"
NUMBERS = np.random.default_rng(0).random((1, 4), np.float32)


@pytest.fixture
def stopping(tmp_path: Path, broker_url: str) -> Iterator[Gateway]:
    """A gateway of the test's own; `slow` takes about a second."""
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url)
    with running_gateway(settings) as running:
        register(settings)
        resources = Resources.open(settings)
        add_version(resources, "slow", slow(turns=150_000), tensors_signature(), trusted=False)
        resources.close()
        yield running


def test_what_is_under_way_is_answered_before_it_stops(stopping: Gateway) -> None:
    with stopping.connect() as warm, stopping.connect() as busy, stopping.connect() as piped:
        warm.sendall(request(SLOW, tensor(NUMBERS), PATIENT))  # it is loaded and measured first
        assert read(warm).status == 200
        busy.sendall(request(SLOW, tensor(NUMBERS), PATIENT))
        piped.sendall(request(SLOW, tensor(NUMBERS), PATIENT) + request(PRICES, rows(3)))
        time.sleep(0.1)
        stopping.process.send_signal(signal.SIGTERM)
        reply = read(busy)
        np.testing.assert_allclose(reply.json["outputs"][0]["data"], NUMBERS[0], rtol=1e-6)
        assert reply.header("connection") == "close"
        assert [read(piped).status, read(piped).status] == [200, 200]
        assert [each.recv(1) for each in (warm, busy, piped)] == [b""] * 3
    assert stopping.process.wait(20) in (0, -signal.SIGTERM)


def test_a_run_without_end_does_not_keep_it_from_stopping(stopping: Gateway) -> None:
    forever = request(ENDLESS, tensor(np.full((1, 2), -1, np.float32)), "X-Timeout-Ms: 600000")
    with stopping.connect() as one, stopping.connect() as other, stopping.connect() as third:
        for connection in (one, other, third):
            connection.sendall(forever)
        time.sleep(0.3)
        stopping.process.send_signal(signal.SIGTERM)
        wait_until(lambda: stopping.process.poll() is not None, "the end of the gateway", seconds=30)
    assert "Traceback" not in stopping.log.read_text()
