"""Several gateway processes behind one port."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from services.settings import Settings
from tests.api.conftest import Gateway, running_gateway
from tests.stack import free_port, wait_until


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, broker_url: str) -> Iterator[Gateway]:
    """A gateway of two processes."""
    home = tmp_path_factory.mktemp("pair")
    with running_gateway(Settings(home=home, port=free_port(), broker_url=broker_url, gateway_workers=2)) as gateway:
        wait_until(lambda: len(answering(gateway)) == 2, "an answer of both processes")
        yield gateway


def answering(gateway: Gateway) -> set[str]:
    """The prefixes of the request ids that a few new connections are given; each process has its own."""
    ids = [httpx.get(f"{gateway.url}/health/live").headers["x-request-id"] for _ in range(30)]
    return {request_id[:20] for request_id in ids}


def children(gateway: Gateway) -> list[psutil.Process]:
    return [
        child for child in psutil.Process(gateway.process.pid).children() if "spawn_main" in " ".join(child.cmdline())
    ]


def counted(gateway: Gateway) -> float:
    """How often /v1/system was asked for, by /metrics."""
    line = r'syllabus_http_requests_total\{method="GET",route="/v1/system",status="200"\} ([\d.]+)'
    match = re.search(line, httpx.get(f"{gateway.url}/metrics").text)
    return float(match[1]) if match else 0.0


def test_any_process_tells_the_counts_of_all(pair: Gateway) -> None:
    before = counted(pair)
    for _ in range(20):
        assert httpx.get(f"{pair.url}/v1/system").is_success
    assert [counted(pair) - before for _ in range(8)] == [20.0] * 8


def test_a_killed_process_is_started_again_and_the_port_answers_meanwhile(pair: Gateway) -> None:
    victim = children(pair)[0]
    victim.kill()
    victim.wait(10)
    for _ in range(20):
        assert httpx.get(f"{pair.url}/health/live").is_success
    wait_until(lambda: len(answering(pair)) == 2, "the second process's return")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_on_the_port_when_the_parent_ends(
    tmp_path: Path, broker_url: str, number: signal.Signals
) -> None:
    settings = Settings(home=tmp_path, port=free_port(), broker_url=broker_url, gateway_workers=2)
    with running_gateway(settings) as gateway:
        left = children(gateway)
        assert len(left) == 2
        gateway.process.send_signal(number)
        gateway.process.wait(20)
        _, alive = psutil.wait_procs(left, timeout=20)
        assert alive == []
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{gateway.url}/health/live")
