"""Upload bodies, streamed to a file of our own naming; raw or as `multipart/form-data` (RFC 7578)."""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from fastapi.concurrency import run_in_threadpool
from starlette.requests import Request

from api.multipart import MultipartReader, Part, boundary_of
from services.artifacts import sync_directory
from services.errors import Invalid

# Bytes are handed to the writing thread in pieces of this size: a hop for every packet would cost more
# than the write.
PIECE_BYTES = 1 << 20
MAX_OPTIONS_BYTES = 64 * 1024


@dataclass(frozen=True)
class Upload:
    """A received file, durable on disk, and the text of the `options` part if there was one."""

    path: Path
    size: int
    options: bytes | None


class _Sink(Protocol):
    def feed(self, data: bytes) -> None: ...

    def finish(self) -> bytes | None:
        """Check that the body was whole; the text of the `options` part."""


class _RawSink:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def feed(self, data: bytes) -> None:
        self._file.write(data)

    def finish(self) -> bytes | None:
        return None


class _MultipartSink:
    """A `file` part, written as it comes, and at most one `options` part of JSON."""

    def __init__(self, file: BinaryIO, boundary: bytes) -> None:
        self._file = file
        self._options: bytearray | None = None
        self._has_file = False
        self._reader = MultipartReader(boundary, self._begin, self._data, max_parts=2)

    def feed(self, data: bytes) -> None:
        self._reader.feed(data)

    def finish(self) -> bytes | None:
        self._reader.finish()
        if not self._has_file:
            raise Invalid.field("file_missing", ["body", "file"], "send the file as the part `file`")
        return None if self._options is None else bytes(self._options)

    def _begin(self, part: Part) -> None:
        if part.name == "file" and not self._has_file:
            self._has_file = True
        elif part.name == "options" and self._options is None:
            self._options = bytearray()
        else:
            raise Invalid.field("part_unexpected", ["body"], "send one part `file` and at most one part `options`")

    def _data(self, part: Part, data: bytes) -> None:
        if part.name == "file":
            self._file.write(data)
            return
        assert self._options is not None  # noqa: S101 - set by _begin
        self._options += data
        if len(self._options) > MAX_OPTIONS_BYTES:
            raise Invalid.field("options_too_long", ["body", "options"], f"at most {MAX_OPTIONS_BYTES} bytes")


def _sink_for(request: Request, file: BinaryIO) -> _Sink:
    content_type = request.headers.get("content-type", "")
    if content_type.partition(";")[0].strip().lower() == "multipart/form-data":
        return _MultipartSink(file, boundary_of(content_type))
    return _RawSink(file)


async def _stream_into(sink: _Sink, request: Request) -> None:
    piece = bytearray()
    async for chunk in request.stream():
        piece += chunk
        if len(piece) >= PIECE_BYTES:
            await run_in_threadpool(sink.feed, bytes(piece))
            piece.clear()
    if piece:
        await run_in_threadpool(sink.feed, bytes(piece))


def _sync(file: BinaryIO, directory: Path) -> int:
    file.flush()
    os.fsync(file.fileno())
    sync_directory(directory)
    return file.tell()


@asynccontextmanager
async def received(request: Request, directory: Path) -> AsyncIterator[Upload]:
    """Stream the body into `directory` under a new id; the file is removed unless the block moved it away.

    Raises `Invalid` (a malformed or empty body), `TooLarge`, `OSError` (`ENOSPC`) and, when the client
    leaves, `ClientDisconnect`; no file remains in any of these cases.
    """
    path = directory / f"{uuid.uuid4().hex}.part"
    try:
        with path.open("xb") as file:
            sink = _sink_for(request, file)
            await _stream_into(sink, request)
            options = sink.finish()
            size = await run_in_threadpool(_sync, file, directory)
        if size == 0:
            raise Invalid.field("body_empty", ["body"], "send the file as the body")
        yield Upload(path, size, options)
    finally:
        path.unlink(missing_ok=True)
