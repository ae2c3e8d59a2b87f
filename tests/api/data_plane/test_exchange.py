"""The short way over raw connections: what arrives how, and what is answered."""

import re
import socket
import time

import numpy as np
import pytest

from api.__main__ import KEEP_ALIVE_SECONDS
from api.connection import MAX_SHORT_WAY_BYTES
from tests.api.conftest import Gateway
from tests.api.data_plane.wire import (
    ENDLESS,
    MIRROR,
    PRICES,
    SHADES,
    Reply,
    binary,
    chunked,
    head,
    png,
    read,
    request,
    rows,
    tensor,
)
from tests.stack import wait_until

BELOW_ZERO = tensor(np.full((1, 2), -1, np.float32))


def value(reply: Reply) -> float:
    """The one value that `prices` has answered."""
    assert reply.status == 200, reply
    (prediction,) = reply.json["predictions"]
    return float(prediction["value"])


def ask(gateway: Gateway, *requests: bytes) -> list[Reply]:
    """Send everything at once over one connection and read an answer for each."""
    with gateway.connect() as connection:
        connection.sendall(b"".join(requests))
        return [read(connection) for _ in requests]


def healthy(gateway: Gateway) -> None:
    """Everything is answered as ever, and nothing is left waiting."""
    assert value(ask(gateway, request(PRICES, rows(4)))[0]) == 8
    assert gateway.process.poll() is None


def padded(size: int) -> bytes:
    """A body for `prices` of exactly so many bytes."""
    body = rows(3)
    return body + b" " * (size - len(body))


def test_a_connection_is_kept_for_the_next_request(served: Gateway) -> None:
    with served.connect() as connection:
        for number in range(50):
            connection.sendall(request(PRICES, rows(number)))
            reply = read(connection)
            assert value(reply) == 2 * number
            assert reply.header("connection") is None


@pytest.mark.slow
def test_a_connection_is_kept_while_it_is_used_whatever_was_asked_first(served: Gateway) -> None:
    with served.connect() as connection:
        connection.sendall(request(PRICES, rows(1)))
        assert value(read(connection)) == 2
        connection.sendall(head("/health/live", method="GET"))
        assert read(connection).status == 200
        for number in range(KEEP_ALIVE_SECONDS + 2):
            time.sleep(1)
            connection.sendall(request(PRICES, rows(number)))
            assert value(read(connection)) == 2 * number


def test_pipelined_requests_are_answered_in_their_order(served: Gateway) -> None:
    """Short way, ordinary way and other routes, quick and slow ones, all in one packet."""
    requests = [
        request(PRICES, rows(1)),
        request(SHADES, png(255), content_type="image/png"),
        chunked(PRICES, rows(2)),
        request(ENDLESS, BELOW_ZERO, "X-Timeout-Ms: 200"),
        head("/health/live", method="GET"),
        request(PRICES, b"no json"),
        request(PRICES, rows(3)),
    ]
    replies = ask(served, *requests)
    assert [reply.status for reply in replies] == [200, 200, 200, 504, 200, 422, 200]
    assert [value(replies[place]) for place in (0, 2, 6)] == [2, 4, 6]
    assert replies[1].json["predictions"][0]["label"] == "bright"


@pytest.mark.parametrize("count", [10, 1000])
def test_a_burst_of_pipelined_requests_is_answered(served: Gateway, count: int) -> None:
    replies = ask(served, *(request(PRICES, rows(number)) for number in range(count)))
    assert [value(reply) for reply in replies] == [2 * number for number in range(count)]


@pytest.mark.parametrize("size", [1, 7, 60])
def test_a_request_may_come_in_many_pieces(served: Gateway, size: int) -> None:
    whole = request(PRICES, rows(5))
    with served.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(whole), size):
            connection.sendall(whole[start : start + size])
            time.sleep(0.001)
        assert value(read(connection)) == 10


@pytest.mark.parametrize("beyond", [-1, 0, 1])
@pytest.mark.parametrize("pieces", [1, 2, 5, 80])
def test_the_border_of_the_short_way_is_not_seen(served: Gateway, beyond: int, pieces: int) -> None:
    whole = request(PRICES, padded(MAX_SHORT_WAY_BYTES + beyond), "X-Long: " + "x" * 1000)
    size = len(whole) // pieces + 1
    with served.connect() as connection:
        for _ in range(3):
            for start in range(0, len(whole), size):
                connection.sendall(whole[start : start + size])
                time.sleep(0.001 if pieces > 1 else 0)
            assert value(read(connection)) == 6


def test_a_body_over_the_limit_is_413_both_ways(served: Gateway) -> None:
    limit = served.settings.max_predict_bytes
    assert value(ask(served, request(PRICES, padded(limit)))[0]) == 6
    for message in (request(PRICES, padded(limit + 1)), chunked(PRICES, padded(limit + 1))):
        (reply,) = ask(served, message)
        assert reply.status == 413


def test_a_body_that_stops_arriving_is_cut_off(served: Gateway) -> None:
    whole = request(PRICES, rows(5))
    with served.connect() as connection:
        connection.sendall(whole[:-3])
        assert connection.recv(1000) == b""
    healthy(served)


def test_a_body_that_trickles_is_cut_off(served: Gateway) -> None:
    with served.connect() as connection:
        connection.sendall(head(PRICES, "Content-Type: application/json", "Content-Length: 10000"))
        connection.settimeout(0.05)

        def is_cut_off() -> bool:
            try:
                connection.sendall(b" ")
                return connection.recv(1000) == b""
            except TimeoutError:
                return False
            except ConnectionError:
                return True

        wait_until(is_cut_off, "the end of patience", seconds=20)
    healthy(served)


def test_clients_that_leave_cost_nothing(served: Gateway) -> None:
    """They leave in the head, in the body, and while they are answered."""
    whole = request(ENDLESS, BELOW_ZERO, "X-Timeout-Ms: 600000")
    for length in (10, len(whole) - 5, len(whole)):
        for _ in range(20):
            connection = served.connect()
            connection.sendall(whole[:length])
            connection.close()
    # Both runners would else be busy for ten minutes.
    (reply,) = ask(served, request(ENDLESS, tensor(np.ones((1, 2), np.float32)), "X-Timeout-Ms: 10000"))
    assert reply.status == 200
    healthy(served)


def test_a_client_that_never_reads_is_kept_waiting_and_nobody_else(served: Gateway) -> None:
    body = tensor(np.random.default_rng(0).random((300, 4), np.float32))
    with served.connect(timeout_seconds=1) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(TimeoutError):
            deaf.sendall(request(MIRROR, body) * 10_000)
        healthy(served)


def test_a_connection_is_closed_after_the_answer_if_the_client_says_so(served: Gateway) -> None:
    with served.connect() as connection:
        connection.sendall(request(PRICES, rows(2), "Connection: close"))
        reply = read(connection)
        assert value(reply) == 4
        assert reply.header("connection") == "close"
        assert connection.recv(1) == b""


@pytest.mark.parametrize("headers", [[], ["Connection: keep-alive"]])
def test_an_old_client_is_answered_and_closed(served: Gateway, headers: list[str]) -> None:
    with served.connect() as connection:
        connection.sendall(request(PRICES, rows(2), *headers, version="1.0"))
        assert value(read(connection)) == 4
        assert connection.recv(1) == b""


def test_a_client_that_asks_first_is_told_to_go_on(served: Gateway) -> None:
    body = rows(2)
    with served.connect() as connection:
        headers = ["Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue"]
        connection.sendall(head(PRICES, *headers))
        assert read(connection).status == 100
        connection.sendall(body)
        assert value(read(connection)) == 4


@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        (["Content-Length: 1"], {400}),
        (["Content-Length: 27"], {400}),
        (["Host: evil.example"], {400, 403}),
        (["Host: localhost"], {400, 403}),
        (["Authorization: Bearer a", "Authorization: Bearer b"], {403}),
        (["Transfer-Encoding: chunked"], {400}),
        (["Transfer-Encoding: gzip, chunked"], {400}),
        (["Origin: https://evil.example"], {403}),
        (["Sec-Fetch-Site: cross-site"], {403}),
        (["X-Timeout-Ms: 5000", "X-Timeout-Ms: 0"], {422}),
    ],
)
def test_what_is_said_twice_or_from_elsewhere_does_not_pass(
    served: Gateway, headers: list[str], statuses: set[int]
) -> None:
    (reply,) = ask(served, request(PRICES, rows(1), *headers))
    assert reply.status in statuses


def test_an_unknown_host_does_not_pass(served: Gateway) -> None:
    for host in ("evil.example", "localhost.evil.example", ""):
        (reply,) = ask(served, request(PRICES, rows(1), host=host))
        assert reply.status in (400, 403)


def test_a_length_with_thousands_of_zeros_is_a_length_or_refused(served: Gateway) -> None:
    body = rows(1)
    message = head(PRICES, "Content-Type: application/json", f"Content-Length: {'0' * 5000}{len(body)}") + body
    for path in (PRICES, "/v1/jobs"):
        (reply,) = ask(served, message.replace(PRICES.encode(), path.encode()))
        assert reply.status in (200, 400, 413, 422), path


@pytest.mark.parametrize("given", ["abc-123", "r.1:2/3+4=_", "x" * 128])
def test_the_clients_request_id_comes_back(served: Gateway, given: str) -> None:
    for message in (
        request(PRICES, rows(1), f"X-Request-ID: {given}"),
        request(PRICES, b"{", f"X-Request-ID: {given}"),
    ):
        (reply,) = ask(served, message)
        assert reply.header("x-request-id") == given


@pytest.mark.parametrize("given", ["a b", "x" * 129, "é", "a;b", ""])
def test_an_unfit_request_id_is_replaced(served: Gateway, given: str) -> None:
    (reply,) = ask(served, request(PRICES, rows(1), f"X-Request-ID: {given}"))
    assert re.fullmatch(r"[0-9a-f]{32}", reply.header("x-request-id") or "")


@pytest.mark.parametrize("name", ["X-Timeout-Ms", "X-Priority"])
@pytest.mark.parametrize("wish", ["0", "-1", "1.5", "abc", "", "1e3", "600001", "9" * 30, "²", "１"])
def test_a_wish_that_is_none_is_422(served: Gateway, name: str, wish: str) -> None:
    (reply,) = ask(served, request(PRICES, rows(1), f"{name}:{wish.encode().decode('latin-1')}"))
    assert (reply.status, reply.json["code"]) == (422, "header_invalid")
    assert reply.json["errors"][0]["loc"] == ["header", name.lower()]


def test_a_deadline_that_passes_is_504(served: Gateway) -> None:
    replies = ask(
        served,
        request(ENDLESS, BELOW_ZERO, "X-Timeout-Ms: 100"),
        request(ENDLESS, tensor(np.full((1, 2), -1, np.float32), timeout=100_000)),
        request("/v1/models/endless/predict", b'{"inputs": [[-1, -1]]}', "X-Timeout-Ms: 100"),
    )
    assert [reply.status for reply in replies] == [504] * 3
    assert [reply.header("content-type") for reply in replies[::2]] == ["application/json", "application/problem+json"]
    assert replies[2].json["code"] == "deadline_exceeded"
    healthy(served)


@pytest.mark.parametrize("priority", [1, 5, 9])
def test_a_priority_is_accepted(served: Gateway, priority: int) -> None:
    assert value(ask(served, request(PRICES, rows(2), f"X-Priority: {priority}"))[0]) == 4


def test_binary_tensors_come_back_as_such(served: Gateway) -> None:
    array = np.random.default_rng(1).random((3, 4), np.float32)
    body, length = binary(array)
    (reply,) = ask(served, request(MIRROR, body, length, content_type="application/octet-stream"))
    assert reply.status == 200
    start = int(reply.header("inference-header-content-length") or 0)
    np.testing.assert_array_equal(np.frombuffer(reply.body, np.float32, 12, start).reshape(3, 4), array[:, ::-1])
