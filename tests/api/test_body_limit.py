"""Bodies that are too large or too slow, against a gateway process over raw connections."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from api.body_limit import limit_for
from services.settings import Settings
from tests.api.conftest import MIB, Gateway
from tests.stack import wait_until

UPLOAD = "POST /v1/datasets?name=big HTTP/1.1\r\nHost: localhost\r\n"


def answer(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    """Read one answer to the end of the connection: its status and JSON body."""
    received = bytearray()
    while piece := connection.recv(65536):
        received += piece
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    assert head, "closed without an answer"
    return int(head.split()[1]), json.loads(body)


def chunks(total_bytes: int) -> Iterator[bytes]:
    piece = b"\0" * 65536
    for _ in range(total_bytes // len(piece)):
        yield b"10000\r\n" + piece + b"\r\n"


def test_a_declared_size_over_the_limit_is_refused_before_a_byte_is_read(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"{UPLOAD}Content-Length: {100 * 2**30}\r\n\r\n".encode())
        status, problem = answer(connection)
    assert (status, problem["code"]) == (413, "body_too_large")
    assert gateway.uploads() == []


def test_a_client_that_asks_first_is_refused_without_100_continue(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"{UPLOAD}Content-Length: {100 * 2**30}\r\nExpect: 100-continue\r\n\r\n".encode())
        assert answer(connection)[0] == 413


def test_a_client_that_sends_all_at_once_still_reads_the_refusal(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {4 * MIB}\r\n\r\n".encode())
        connection.sendall(b" " * 4 * MIB)
        assert answer(connection)[0] == 413


def test_a_chunked_body_over_the_limit_is_refused_in_mid_stream_and_removed(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"{UPLOAD}Transfer-Encoding: chunked\r\n\r\n".encode())
        try:
            for piece in chunks(gateway.settings.max_upload_bytes + 8 * MIB):
                connection.sendall(piece)
        except ConnectionError:
            pytest.fail("the gateway closed before it had answered")
        status, problem = answer(connection)
    assert (status, problem["code"]) == (413, "body_too_large")
    assert gateway.uploads() == []


@pytest.mark.parametrize("length", ["-1", "1e3", "abc", "0x10", "99999999999999999999999999"])
def test_a_size_that_is_no_size_is_refused(gateway: Gateway, length: str) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"{UPLOAD}Content-Length: {length}\r\nConnection: close\r\n\r\n".encode())
        first_line = connection.recv(65536).split(b"\r\n")[0]
    assert first_line.split()[1] in (b"400", b"413")


@pytest.mark.parametrize("after", ["", " ", "\t", "  \t "])
def test_blanks_after_a_size_are_not_of_it(gateway: Gateway, after: str) -> None:
    head = "POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    with gateway.connect() as connection:
        connection.sendall(f"{head}Content-Length: 2{after}\r\n\r\n{{}}".encode())
        status, problem = answer(connection)
    assert (status, problem["errors"][0]["loc"]) == (422, ["body", "kind"])


def test_two_framings_of_one_body_are_refused(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"{UPLOAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode())
        assert connection.recv(65536).split()[1] == b"400"


def test_a_body_that_trickles_is_closed_with_408(gateway: Gateway) -> None:
    with gateway.connect() as connection:
        connection.sendall(f"{UPLOAD}Content-Length: 1000000\r\n\r\n".encode())
        connection.settimeout(0.1)
        received = bytearray()

        def trickle() -> bool:
            try:
                connection.sendall(b"x")
                received.extend(connection.recv(65536))
            except TimeoutError:
                return False
            except ConnectionError:
                return True
            return b"\r\n\r\n" in received

        wait_until(trickle, "the end of patience", seconds=20)
    assert received.split()[1] == b"408"
    wait_until(lambda: gateway.uploads() == [], "the removal of the file")


def test_a_client_that_leaves_in_mid_upload_leaves_no_file(gateway: Gateway) -> None:
    connection = gateway.connect()
    connection.sendall(f"{UPLOAD}Content-Length: {8 * MIB}\r\n\r\n".encode() + b"x" * 2 * MIB)
    wait_until(gateway.uploads, "the file's appearance")
    connection.close()
    wait_until(lambda: gateway.uploads() == [], "the removal of the file")


def test_many_aborted_uploads_leave_no_file(gateway: Gateway) -> None:
    for _ in range(100):
        connection = gateway.connect()
        connection.sendall(f"{UPLOAD}Content-Length: {MIB}\r\n\r\nabc".encode())
        connection.close()
    wait_until(lambda: gateway.uploads() == [], "the removal of the files")


def test_each_route_has_its_own_limit() -> None:
    settings = Settings(max_upload_bytes=3, max_predict_bytes=2, max_body_bytes=1)
    assert limit_for(settings, "POST", "/v1/datasets") == 3
    assert limit_for(settings, "POST", "/v1/models/a.b-c/predict") == 2
    assert limit_for(settings, "POST", "/v1/models/a/b/predict") == 1
    assert limit_for(settings, "PUT", "/v1/datasets") == 1
    assert limit_for(settings, "POST", "/v1/jobs") == 1
