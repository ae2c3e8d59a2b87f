"""Events as `text/event-stream` (WHATWG HTML, "Server-sent events"): a job's, and any others.

A job's stream polls the database, off the event loop, while its client is connected. It ends after the job's
terminal state, when the client leaves or stops reading, and when the gateway shuts down.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import orjson
import structlog
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.schemas.base import utc
from services import events
from services.errors import TooManyRequests
from services.resources import Resources
from services.tables import JobEvent

POLL_SECONDS = 0.25
KEEP_ALIVE_SECONDS = 15.0
SEND_TIMEOUT_SECONDS = 60.0
RETRY_MILLISECONDS = 2000
BATCH = 500
MAX_STREAMS = 200

log = structlog.get_logger(__name__)


class Streams:
    """The open event streams of one gateway: bounded in number, and told when the gateway closes."""

    def __init__(self, max_streams: int = MAX_STREAMS) -> None:
        self._max_streams = max_streams
        self._num_open = 0
        self.closing = asyncio.Event()

    def enter(self) -> None:
        """Count one more. Raises `TooManyRequests`."""
        if self._num_open >= self._max_streams:
            raise TooManyRequests("too_many_streams", f"{self._num_open} event streams are open; close some.", 5)
        self._num_open += 1

    def leave(self) -> None:
        """Count one less."""
        self._num_open -= 1

    async def pause(self, seconds: float) -> bool:
        """Sleep; False as soon as the gateway closes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        return not self.closing.is_set()


def written(name: bytes, data: bytes) -> bytes:
    """An event whose data are JSON, which has no line breaks of its own: nothing in it can forge a line."""
    return b"event: %s\ndata: %s\n\n" % (name, data)


def _line(event: JobEvent) -> bytes:
    data: dict[str, Any] = {**event.data, "at": utc(event.at)}
    return b"id: %d\n%s" % (event.seq, written(event.type.encode(), orjson.dumps(data)))


def _read(resources: Resources, job_id: str, after: int) -> tuple[list[JobEvent], bool]:
    with resources.database.snapshot() as session:
        over = events.is_over(session, job_id)  # first, so that what came before the end is read below
        found = events.read(session, job_id, after, BATCH)
    return found, over and len(found) < BATCH


async def follow(resources: Resources, streams: Streams, job_id: str, after: int) -> AsyncGenerator[bytes]:
    """The events numbered above `after`, as they happen, with a comment in every quiet 15 seconds."""
    yield b"retry: %d\n\n" % RETRY_MILLISECONDS
    quiet_seconds = 0.0
    while True:
        found, over = await run_in_threadpool(_read, resources, job_id, after)
        if found:
            after, quiet_seconds = found[-1].seq, 0.0
            yield b"".join(map(_line, found))
        if over:
            return
        if len(found) == BATCH:
            continue
        if not await streams.pause(POLL_SECONDS):
            return
        quiet_seconds += POLL_SECONDS
        if quiet_seconds >= KEEP_ALIVE_SECONDS:
            quiet_seconds = 0.0
            yield b": keep-alive\n\n"


class EventStream(StreamingResponse):
    """The response. A client that does not read for a minute is cut off. Its events are closed at the end."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, events: AsyncGenerator[bytes]) -> None:
        super().__init__(events, headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        self._streams = streams
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the events or the client end. Raises `TooManyRequests` before anything is sent."""
        self._streams.enter()
        try:
            if scope["method"] == "HEAD":
                await self._events.aclose()  # nobody would read one
            await super().__call__(scope, receive, send)
        except TimeoutError:
            log.warning("event_stream_not_read")
        finally:
            self._streams.leave()
            await self._events.aclose()

    async def stream_response(self, send: Send) -> None:
        """As Starlette's, with a bound on how long one piece may wait for the client."""

        async def send_in_time(message: Message) -> None:
            with anyio.fail_after(SEND_TIMEOUT_SECONDS):
                await send(message)

        await super().stream_response(send_in_time)
