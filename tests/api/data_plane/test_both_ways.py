"""The short way and the ordinary way give the same answers, byte for byte."""

import json
import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from services.serving.model import GRAPHS
from tests.api.conftest import Gateway
from tests.api.data_plane.conftest import KEY
from tests.api.data_plane.wire import (
    ENDLESS,
    MIRROR,
    PRICES,
    SHADES,
    Reply,
    binary,
    chunked,
    png,
    read,
    request,
    rows,
    tensor,
)
from tests.stack import wait_until

NUMBERS = np.random.default_rng(0).random((5, 4), np.float32)
BINARY, LENGTH = binary(NUMBERS)
MULTIPART = (
    b"--b\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n" + png(0, 2) + b"\r\n"
    b"--b\r\nContent-Disposition: form-data; name=file; filename=b\r\n\r\n" + png(255, 2) + b"\r\n--b--\r\n"
)
OCTETS = "application/octet-stream"

Message = tuple[str, bytes, str, tuple[str, ...]]
MESSAGES: dict[str, Message] = {
    "rows": (PRICES, rows(1, 2, 3), "application/json", ()),
    "row-query": (f"{PRICES}?version=1&top_k=2", rows(1), "application/json", ()),
    "rows-charset": (PRICES, rows(1), 'application/json; charset="utf-8"', ()),
    "png": (SHADES, png(250), "image/png", ()),
    "multipart": (SHADES, MULTIPART, "multipart/form-data; boundary=b", ()),
    "pixels": (SHADES, json.dumps({"inputs": [[[0, 0], [255, 255]]]}).encode(), "application/json", ()),
    "tensors": ("/v1/models/mirror/predict", b'{"inputs": [[1, 2, 3, 4]]}', "application/json", ()),
    "v2": (MIRROR, tensor(NUMBERS), "application/json", ()),
    "v2-version": ("/v2/models/mirror/versions/1/infer", tensor(NUMBERS), "application/json", ()),
    "v2-binary": (MIRROR, BINARY, OCTETS, (LENGTH,)),
    "v2-gzip": (MIRROR, tensor(NUMBERS), "application/json", ("Accept-Encoding: gzip",)),
    "v2-deflated": (MIRROR, zlib.compress(tensor(NUMBERS)), "application/json", ("Content-Encoding: deflate",)),
    "v2-lengths": ("/v2/models/lengths/infer", tensor(NUMBERS[:, :3]), "application/json", ()),
    "no-model": ("/v1/models/nope/predict", rows(1), "application/json", ()),
    "no-model-v2": ("/v2/models/nope/infer", tensor(NUMBERS), "application/json", ()),
    "no-version": (f"{PRICES}?version=7", rows(1), "application/json", ()),
    "no-version-v2": ("/v2/models/mirror/versions/7/infer", tensor(NUMBERS), "application/json", ()),
    "no-variant": (f"{PRICES}?variant=int8", rows(1), "application/json", ()),
    "no-json": (PRICES, b"{", "application/json", ()),
    "no-json-v2": (MIRROR, b"{", "application/json", ()),
    "no-type": (PRICES, rows(1), "text/plain", ()),
    "text-for-tensors": ("/v1/models/mirror/predict", b"text", "text/plain", ()),
    "no-utf-8": (PRICES, rows(1), "application/json; charset=latin-1", ()),
    "no-boundary": (SHADES, MULTIPART, "multipart/form-data", ()),
    "no-image": (SHADES, b"GIF89a", "image/png", ()),
    "image-for-rows": (PRICES, png(0), "image/png", ()),
    "wrong-row": (PRICES, b'{"inputs": [[1]]}', "application/json", ()),
    "wrong-key": (PRICES, b'{"inputs": [[1, null]], "owner": 1}', "application/json", ()),
    "no-inputs": (PRICES, b'{"inputs": []}', "application/json", ()),
    "too-many": (PRICES, rows(*range(1025)), "application/json", ()),
    "wrong-shape": (MIRROR, tensor(NUMBERS[:, :3]), "application/json", ()),
    "wrong-length": (MIRROR, BINARY, OCTETS, ("Inference-Header-Content-Length: 3",)),
    "no-length": (MIRROR, BINARY, OCTETS, ("Inference-Header-Content-Length: -3",)),
    "not-gzip": (MIRROR, tensor(NUMBERS), "application/json", ("Content-Encoding: gzip",)),
    "brotli": (MIRROR, tensor(NUMBERS), "application/json", ("Content-Encoding: br",)),
    "no-timeout": (PRICES, rows(1), "application/json", ("X-Timeout-Ms: soon",)),
    "timeout": (ENDLESS, tensor(-NUMBERS[:1, :2]), "application/json", ("X-Timeout-Ms: 50",)),
    "too-much": (PRICES, rows(1e300), "application/json", ()),
    "broken": ("/v1/models/broken/predict", png(0), "image/png", ()),
    "generate": ("/v1/models/columns/generate", b'{"n": 3, "seed": 1}', "application/json", ()),
    "generate-png": ("/v1/models/columns/generate", b'{"seed": 1}', "application/json", ("Accept: image/png",)),
    "generate-zip": ("/v1/models/columns/generate", b'{"seed": 1}', "application/json", ("Accept: application/zip",)),
    "generate-much": ("/v1/models/columns/generate", b'{"n": 200, "seed": 1}', "application/json", ()),
    "generate-class": ("/v1/models/lamps/generate", b'{"seed": 1, "label": "lit"}', "application/json", ()),
    "decode": ("/v1/models/columns/decode?version=1", b'{"codes": [[0, 1]]}', "application/json", ()),
    "encode": ("/v1/models/columns/encode", png(9, 2), "image/png", ()),
    "encode-label": ("/v1/models/lamps/encode?label=lit", png(9, 2), "image/png", ()),
    "encode-multipart": ("/v1/models/columns/encode", MULTIPART, "multipart/form-data; boundary=b", ()),
    "reconstruct": ("/v1/models/columns/reconstruct", png(9, 2), "image/png", ("Accept: image/png",)),
    "anomaly": ("/v1/models/columns/anomaly", b'{"inputs": [[[0, 0], [255, 255]]]}', "application/json", ()),
    "interpolate": ("/v1/models/columns/interpolate", b'{"from": 1, "to": [0, 1]}', "application/json", ()),
    "interpolate-files": ("/v1/models/columns/interpolate", MULTIPART, "multipart/form-data; boundary=b", ()),
    "no-accept": ("/v1/models/columns/generate", b"{}", "application/json", ("Accept: text/html",)),
    "no-call": ("/v1/models/shades/generate", b"{}", "application/json", ()),
    "no-samples": ("/v1/models/columns/generate", b'{"n": 0}', "application/json", ()),
    "no-label": ("/v1/models/lamps/encode", png(9), "image/png", ()),
    "no-image-type": ("/v1/models/columns/generate", png(9), "image/png", ()),
    "other-site": (PRICES, rows(1), "application/json", ("Sec-Fetch-Site: cross-site",)),
}


def comparable(reply: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer without what differs from one to the next by its nature: the date and the times."""
    headers = [(name, re.sub(r"=[\d.]+", "=0", value)) for name, value in reply.headers if name != "date"]
    return reply.status, sorted(headers), reply.body


@pytest.mark.parametrize("name", MESSAGES)
def test_both_ways_answer_the_same(served: Gateway, name: str) -> None:
    path, body, content_type, headers = MESSAGES[name]
    headers = (*headers, "X-Request-ID: r-1")
    with served.connect() as connection:
        connection.sendall(request(path, body, *headers, content_type=content_type))
        short = read(connection)
    with served.connect() as connection:
        connection.sendall(chunked(path, body, *headers, content_type=content_type))
        ordinary = read(connection)
    assert comparable(short) == comparable(ordinary)
    assert len({name for name, _ in short.headers}) == len(short.headers), "no header comes twice"
    assert short.header("x-request-id") == "r-1"
    assert short.header("x-content-type-options") == "nosniff"
    assert (short.status == 200) == (name.split("-")[0] in WORKING)
    assert short.status < 500 or name in ("timeout", "broken")


WORKING = {"rows", "row", "png", "multipart", "pixels", "tensors", "v2", *GRAPHS}


@pytest.mark.parametrize("make", [request, chunked])
def test_the_cause_of_an_inner_failure_is_logged_under_the_requests_id(
    served: Gateway, make: Callable[..., bytes]
) -> None:
    with served.connect() as connection:
        connection.sendall(make("/v1/models/broken/predict", png(0), content_type="image/png"))
        reply = read(connection)
    assert (reply.status, reply.json["code"]) == (500, "internal_error")
    assert b"KeyError" not in reply.body

    def logged() -> list[str]:
        lines = [json.loads(line) for line in served.log.read_text().splitlines()]
        return [line["event"] for line in lines if line.get("request_id") == reply.header("x-request-id")]

    wait_until(lambda: {"prediction_failed", "request"} <= set(logged()), "the lines in the log", seconds=10)


@pytest.mark.parametrize("make", [request, chunked])
def test_with_a_key_both_ways_want_it(locked: Gateway, make: Callable[..., bytes]) -> None:
    cases: list[tuple[str, tuple[str, ...], int, str | None]] = [
        (PRICES, (f"Authorization: Bearer {KEY}",), 200, None),
        (PRICES, (f"Authorization: bearer {KEY}", "Sec-Fetch-Site: cross-site"), 200, None),
        (PRICES, (), 401, "unauthorized"),
        (PRICES, (f"Authorization: Bearer {KEY}x",), 401, "unauthorized"),
        (PRICES, (f"Authorization: Bearer {KEY}", f"Authorization: Bearer {KEY}"), 401, "unauthorized"),
        (f"{PRICES}?version={KEY}", (f"Authorization: Bearer {KEY}",), 401, "key_in_query"),
        (f"{PRICES}?token=x", (f"Authorization: Bearer {KEY}",), 401, "key_in_query"),
    ]
    with locked.connect() as connection:
        for path, headers, status, code in cases:
            connection.sendall(make(path, rows(1), *headers))
            reply = read(connection)
            assert reply.status == status
            assert code is None or reply.json["code"] == code
            assert KEY.encode() not in reply.body
        connection.sendall(make(MIRROR, tensor(NUMBERS)))
        reply = read(connection)
        assert (reply.status, list(reply.json)) == (401, ["error"])
        assert reply.header("www-authenticate") == 'Bearer realm="syllabus"'


@pytest.mark.parametrize("make", [request, chunked])
def test_both_ways_have_the_same_limit(locked: Gateway, make: Callable[..., bytes]) -> None:
    for size, status in ((locked.settings.max_predict_bytes, 200), (locked.settings.max_predict_bytes + 1, 413)):
        with locked.connect() as connection:
            connection.sendall(make(PRICES, rows(1).ljust(size), f"Authorization: Bearer {KEY}"))
            assert read(connection).status == status
