"""The short way: one request of the data plane, straight from the connection's parser to its transport.

uvicorn's protocol keeps one `cycle` a request. An exchange stands in its place, with the same attributes, so
that pipelining, keep-alive and a graceful stop work as for every other request; but it makes no scope, passes
no middleware and sends no messages. `api.connection` gives it only requests that are plain in every way.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from structlog.contextvars import bind_contextvars
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.data_plane.messages import Headers, Response
from api.data_plane.targets import Target
from api.request_id import log_request, request_id_of

if TYPE_CHECKING:
    from api.connection import HttpProtocol, Shared


class Unheard:
    """Stands for the event by which uvicorn wakes a request that waits for its body; an exchange needs none."""

    def set(self) -> None:
        """Nobody waits."""


class Outbox:
    """Answers of one turn of the event loop, written one right after the other.

    A write that wakes a sleeping client costs several times one to a client that is awake. Between writes that
    follow at once it has no time to fall asleep.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._answers: list[tuple[Exchange, bytes]] = []

    def put(self, exchange: "Exchange", answer: bytes) -> None:
        """Have an answer written when this turn is over."""
        if not self._answers:
            self._loop.call_soon(self._flush)
        self._answers.append((exchange, answer))

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        for exchange, answer in answers:
            exchange.write(answer)


class Exchange:
    """One request and its answer."""

    message_event = Unheard()

    def __init__(self, protocol: "HttpProtocol", shared: "Shared", target: Target, headers: Headers) -> None:
        self._protocol = protocol
        self._plane = shared.plane
        self._telemetry = shared.telemetry
        self._outbox = shared.outbox
        self._target = target
        self._headers = headers
        self._started_at = time.perf_counter()
        self._task: asyncio.Task[None] | None = None
        self.keep_alive = protocol.parser.should_keep_alive()
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False

    def begin(self) -> None:
        """The body is complete: answer it."""
        self.more_body = False
        self._task = self._protocol.loop.create_task(self._answer())

    def leave(self) -> None:
        """The client has gone: what has not been computed yet never will be."""
        self.disconnected = True
        if self._task is not None:
            self._task.cancel()

    async def _answer(self) -> None:
        request_id = request_id_of(self._headers.get(b"x-request-id", b"").decode("latin-1"))
        bind_contextvars(request_id=request_id)
        response = await self._plane.answer(self._target, self._headers, bytes(self.body))
        self._send(response, request_id)
        seconds = time.perf_counter() - self._started_at
        self._telemetry.observe(self._target.route, "POST", response.status, seconds)
        if response.status == 500:
            client = self._protocol.client
            log_request("POST", self._target.path, response.status, seconds, client[0] if client else None)

    def _send(self, response: Response, request_id: str) -> None:
        transport = self._protocol.transport
        if self.disconnected or transport.is_closing():
            return
        defaults = [b"%s: %s\r\n" % header for header in self._protocol.server_state.default_headers]
        own = b"content-length: %d\r\nx-request-id: %s\r\nx-content-type-options: nosniff\r\n"
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        own_lines = own % (len(response.body), request_id.encode())
        answer = (STATUS_LINE[response.status], *defaults, response.head, own_lines, end, response.body)
        self._outbox.put(self, b"".join(answer))

    def write(self, answer: bytes) -> None:
        """Hand the answer to the transport, which ends the exchange."""
        transport = self._protocol.transport
        if transport.is_closing():
            return
        transport.write(answer)
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        self._protocol.on_response_complete()
