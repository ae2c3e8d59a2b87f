"""Bodies as clients compress them, and as nobody should."""

import contextlib
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.compression import CHUNK_BYTES, compress, decompress
from services.errors import Invalid, SyllabusError, TooLarge, UnsupportedMediaType

MIB = 2**20
BODY = b'{"inputs": []}' * 10_000
COMPRESSED = {"gzip": gzip.compress(BODY), "deflate": zlib.compress(BODY)}  # as Triton's client makes them
ENCODINGS = tuple(COMPRESSED)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_clients_compress_is_read(encoding: str) -> None:
    assert decompress(COMPRESSED[encoding], encoding, len(BODY)) == BODY
    assert decompress(COMPRESSED[encoding], f" {encoding.upper()} ", len(BODY)) == BODY


def test_identity_is_left_as_it_is() -> None:
    assert decompress(BODY, "identity", len(BODY)) == BODY


@given(st.binary(max_size=300), st.integers(1, 2000), st.sampled_from(ENCODINGS))
def test_every_body_goes_both_ways(piece: bytes, times: int, encoding: str) -> None:
    body = piece * times
    compressed, name = compress(body, encoding)
    assert name == encoding
    assert decompress(compressed, encoding, len(body)) == body
    if body:
        with pytest.raises(TooLarge):
            decompress(compressed, encoding, len(body) - 1)


def test_responses_are_what_clients_decompress() -> None:
    assert gzip.decompress(compress(BODY, "gzip")[0]) == BODY
    assert zlib.decompress(compress(BODY, "deflate")[0]) == BODY


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_bomb_takes_no_more_memory_than_the_limit(encoding: str) -> None:
    bomb, _ = compress(bytes(256 * MIB), encoding)
    assert len(bomb) < 2 * MIB
    tracemalloc.start()
    with pytest.raises(TooLarge) as raised:
        decompress(bomb, encoding, 4 * MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(4 * MIB) in raised.value.detail
    assert peak < 4 * MIB + 8 * CHUNK_BYTES


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_cut_short_is_refused(encoding: str) -> None:
    whole = COMPRESSED[encoding]
    for length in (*range(30), len(whole) // 2, *range(len(whole) - 9, len(whole))):
        with pytest.raises(Invalid) as raised:
            decompress(whole[:length], encoding, MIB)
        assert raised.value.code == "body_damaged"


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("extra", [b"\0", b"garbage", bytes(2 * CHUNK_BYTES)])
def test_what_follows_the_stream_is_refused(encoding: str, extra: bytes) -> None:
    for rest in (extra, COMPRESSED[encoding]):
        with pytest.raises(Invalid):
            decompress(COMPRESSED[encoding] + rest, encoding, MIB)


def test_a_stream_that_ends_with_a_chunk_is_read_and_what_follows_it_refused() -> None:
    overhead = len(zlib.compress(bytes(CHUNK_BYTES // 2), 0)) - CHUNK_BYTES // 2  # level 0 only stores
    body = bytes(CHUNK_BYTES - overhead)
    stream = zlib.compress(body, 0)
    assert len(stream) == CHUNK_BYTES
    assert decompress(stream, "deflate", MIB) == body
    with pytest.raises(Invalid):
        decompress(stream + b"\0", "deflate", MIB)


def test_other_formats_than_the_declared_one_are_refused() -> None:
    raw_deflate = zlib.compress(BODY, wbits=-zlib.MAX_WBITS)
    for body, encoding in (
        (BODY, "gzip"),
        (COMPRESSED["gzip"], "deflate"),
        (COMPRESSED["deflate"], "gzip"),
        (raw_deflate, "deflate"),
    ):
        with pytest.raises(Invalid):
            decompress(body, encoding, MIB)


@pytest.mark.parametrize("encoding", ["br", "zstd", "", "gzip, gzip", "gzip, deflate", "x" * 10_000])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType) as raised:
        decompress(BODY, encoding, MIB)
    assert len(raised.value.detail) < 300


@given(st.binary(max_size=300), st.sampled_from(ENCODINGS), st.integers(0, 400))
def test_any_bytes_are_read_or_refused(body: bytes, encoding: str, position: int) -> None:
    whole = COMPRESSED[encoding]
    for damaged in (body, whole[:position] + body + whole[position + len(body) :]):
        with contextlib.suppress(SyllabusError):
            assert len(decompress(damaged, encoding, MIB)) <= MIB


@pytest.mark.parametrize(
    ("accept_encoding", "expected"),
    [
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("GZIP", "gzip"),
        ("gzip, deflate, br", "gzip"),
        ("deflate,gzip", "deflate"),
        ("gzip;q=0.5, deflate ; q=0.8", "deflate"),
        ("gzip; q=0.001", "gzip"),
        ("identity;q=0, gzip", "gzip"),
        ("", None),
        ("br", None),
        ("*", None),
        ("identity", None),
        ("identity, gzip;q=0.9", None),
        ("gzip;q=0", None),
        ("gzip;q=x", None),
        ("gzip;level=9", None),
        (";;,,=", None),
    ],
)
def test_a_response_is_compressed_only_if_the_client_asks(accept_encoding: str, expected: str | None) -> None:
    body, encoding = compress(BODY, accept_encoding)
    assert encoding == expected
    assert (decompress(body, encoding, len(BODY)) if encoding else body) == BODY
