"""Request heads that are too long, too slow or malformed, against a gateway process."""

import http.client

import pytest

from api.connection import MAX_HEAD_BYTES, MAX_HEADERS
from tests.api.conftest import Gateway
from tests.api.data_plane.wire import head, read


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * (MAX_HEAD_BYTES + 1) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nA : b\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["path", "header", "headers", "nul", "space-before-colon", "tls"],
)
def test_a_bad_head_is_400_and_closed(gateway: Gateway, head: bytes) -> None:
    with gateway.connect() as connection:
        connection.sendall(head)
        assert connection.recv(65536).split()[1] == b"400"


def test_headers_without_end_are_cut_off(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for number in range(100_000):
                connection.sendall(b"X-%d: y\r\n" % number)
        except ConnectionError:
            return
        assert connection.recv(65536).split()[1] == b"400"


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: localhost\r\nX-"], ids=["silent", "half-a-head"])
def test_a_client_that_does_not_go_on_is_closed(gateway: Gateway, beginning: bytes) -> None:
    with gateway.connect() as connection:
        connection.sendall(beginning)
        assert connection.recv(65536) == b""


def test_a_connection_is_kept_for_the_next_request(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.settings.port)
    connection.connect()
    kept = connection.sock
    for _ in range(3):
        connection.request("GET", "/health/live")
        assert connection.getresponse().read() == b'{"status":"ok","missing":[]}'
        assert connection.sock is kept
    connection.close()


@pytest.mark.parametrize("host", [b"evil.example", b"localhost\r\nHost: evil.example", b"localhost@evil.example", b""])
def test_a_malformed_host_passes_nothing(gateway: Gateway, host: bytes) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"GET /v1/jobs HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert connection.recv(65536).split()[1] in (b"400", b"403")


def test_an_absolute_target_does_not_replace_the_host(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(b"GET http://localhost/v1/jobs HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert connection.recv(65536).split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    ("path", "media_type", "field"),
    [("/v1/datasets", "application/problem+json", "detail"), ("/v2", "application/json", "error")],
)
def test_a_head_that_is_too_long_is_refused_in_the_shape_of_every_failure(
    gateway: Gateway, path: str, media_type: str, field: str
) -> None:
    with gateway.connect() as connection:
        connection.sendall(head(f"{path}?classes=" + "x" * MAX_HEAD_BYTES, method="GET"))
        reply = read(connection)
    assert (reply.status, reply.header("content-type"), reply.header("connection")) == (400, media_type, "close")
    assert str(MAX_HEAD_BYTES) in reply.json[field]
