"""Heads that are remembered: only whole requests whose lengths add up, and no more than fit."""

import pytest

from api.data_plane.heads import MAX_BYTES, MAX_HEADS, Head, Heads
from api.data_plane.targets import INFER, Target
from tests.api.data_plane.wire import MIRROR, request

TARGET = Target("infer", INFER, MIRROR, "mirror")


def head_of(num_body_bytes: int) -> Head:
    return Head(TARGET, {b"host": b"localhost"}, "", num_body_bytes, True)


def test_equal_heads_are_recalled_with_their_own_bodies() -> None:
    heads, head = Heads(), head_of(3)
    heads.remember(request(MIRROR, b"abc"), head)
    assert heads.recall(request(MIRROR, b"xyz")) == (head, b"xyz")
    assert heads.recall(request(MIRROR, b"\r\n\r")) == (head, b"\r\n\r")


@pytest.mark.parametrize(
    "packet",
    [
        request(MIRROR, b"abc")[:-1],
        request(MIRROR, b"abc") + b"P",
        request(MIRROR, b"abc", "X-Priority: 1"),
        request("/v2/models/other/infer", b"abc"),
        b"\r\n" + request(MIRROR, b"abc"),
        b"",
        b"\r\n\r\n",
    ],
)
def test_everything_else_is_parsed(packet: bytes) -> None:
    heads = Heads()
    heads.remember(request(MIRROR, b"abc"), head_of(3))
    assert heads.recall(packet) is None


@pytest.mark.parametrize("before", [b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n\r\n"])
def test_what_begins_with_empty_lines_is_not_remembered(before: bytes) -> None:
    heads = Heads()
    packet = before + request(MIRROR, b"abc")
    heads.remember(packet, head_of(3))
    recalled = heads.recall(packet)
    assert recalled is None or recalled[1] == b"abc"
    assert heads.recall(b"\r\n\r\nabc") is None


def test_a_body_that_looks_like_a_heads_end_is_not_taken_for_one() -> None:
    """A lenient parser might end a head at a bare line feed; then the first empty line lies in the body."""
    heads = Heads()
    packet = request(MIRROR, b"a\r\n\r\nb").replace(b"\r\n", b"\n", 4)
    heads.remember(packet, head_of(6))
    assert heads.recall(packet) is None


def test_only_so_many_and_no_long_ones_are_kept() -> None:
    heads = Heads()
    long = request(MIRROR, b"abc", "X-Long: " + "x" * MAX_BYTES)
    heads.remember(long, head_of(3))
    assert heads.recall(long) is None
    packets = [request(MIRROR, b"abc", f"X-Request-ID: {number}") for number in range(MAX_HEADS + 1)]
    for packet in packets:
        heads.remember(packet, head_of(3))
    assert heads.recall(packets[0]) is None
    assert all(heads.recall(packet) is not None for packet in packets[1:])
