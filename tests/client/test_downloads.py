"""A downloaded file is whole and right, or not there."""

import hashlib
import json
from pathlib import Path

import pytest

from client.api import Syllabus
from client.errors import ChecksumMismatch, Unreachable
from tests.client.web import Handler, Request, serving

GRAPH = b"onnx" * 1000


def registry(handler: Handler, request: Request, *, body: bytes) -> None:
    if request.path.endswith("/onnx"):
        handler.send(200, body, "application/octet-stream")
    else:
        record = {"version": 3, "onnx": {"sha256": hashlib.sha256(GRAPH).hexdigest()}}
        handler.send(200, json.dumps(record).encode())


def test_a_download_is_of_the_version_that_its_checksum_is_of(tmp_path: Path) -> None:
    with serving(lambda h, r: registry(h, r, body=GRAPH)) as web, Syllabus(web.url) as api:
        target = api.models.download("m", tmp_path / "m.onnx", "production")
    assert target.read_bytes() == GRAPH
    assert [request.path for request in web.requests] == [
        "/v1/models/m/versions/production",
        "/v1/models/m/versions/3/onnx",
    ]


def test_a_wrong_download_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    target.write_bytes(b"before")
    with (
        serving(lambda h, r: registry(h, r, body=GRAPH[:-1])) as web,
        Syllabus(web.url) as api,
        pytest.raises(ChecksumMismatch),
    ):
        api.models.download("m", target)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_download_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def answer(handler: Handler, request: Request) -> None:
        if request.path.endswith("/onnx"):
            handler.send_events(GRAPH)
        else:
            registry(handler, request, body=GRAPH)

    with serving(answer) as web, Syllabus(web.url) as api, pytest.raises(Unreachable):
        api.models.download("m", tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []
