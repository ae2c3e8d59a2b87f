"""The short way: one request of the data plane, straight from the connection's bytes to its transport.

uvicorn's protocol keeps one `cycle` a request. An exchange stands in its place, with the same attributes, so
that pipelining, keep-alive and a graceful stop work as for every other request; but it makes no scope, passes
no middleware and sends no messages. `api.connection` gives it only requests that are plain in every way.

A request for which nothing has to be waited for but its run has no task of its own either: it is begun in the turn
in which it arrives and ended in the turn in which its batch is done.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from structlog.contextvars import bound_contextvars
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.data_plane.heads import Head
from api.data_plane.messages import Response
from api.data_plane.outbox import Answered
from api.request_id import log_request, request_id_of
from services.serving.batch import Answer, Result, Ticket
from services.serving.calls import Call

if TYPE_CHECKING:
    from api.connection import HttpProtocol, Shared

OWN_HEADERS = b"content-length: %d\r\nx-request-id: %s\r\nx-content-type-options: nosniff\r\n"


class Unheard:
    """Stands for the event by which uvicorn wakes a request that waits for its body; an exchange needs none."""

    def set(self) -> None:
        """Nobody waits."""


class Exchange:
    """One request and its answer."""

    message_event = Unheard()

    more_body = True
    disconnected = False
    response_complete = False

    _call: Call
    _ticket: Ticket | None = None
    _task: asyncio.Task[None] | None = None

    def __init__(self, protocol: "HttpProtocol", shared: "Shared", head: Head) -> None:
        self._protocol = protocol
        self._shared = shared
        self._request_id = request_id_of(head.request_id)
        self._started_at = time.perf_counter()
        self.head = head
        self.keep_alive = head.keep_alive
        self.body = bytearray()

    def begin(self, body: bytes) -> None:
        """The body is complete: answer it."""
        self.more_body = False
        plane, head = self._shared.plane, self.head
        try:
            call = plane.begin(head.target, head.headers, body)
            if call is None:
                self._task = self._protocol.loop.create_task(self._answer(body))
            else:
                self._call = call
                self._ticket = plane.submit(call, self._end)
        except Exception as error:
            self._fail(error)

    def leave(self) -> None:
        """The client has gone: what has not been computed yet never will be."""
        self.disconnected = True
        if self._ticket is not None:
            self._ticket.leave()
            self._ticket = None
        if self._task is not None:
            self._task.cancel()

    def _end(self, result: Result) -> None:
        self._ticket = None  # which refers to this exchange: only the collector would find the two of them
        plane, head = self._shared.plane, self.head
        if not isinstance(result, Answer):
            self._fail(result)
            return
        try:
            response = plane.end(head.target, head.headers, self._call, result)
        except Exception as error:
            self._fail(error)
            return
        if response is None:
            self._task = self._protocol.loop.create_task(self._end_aside(result))
        else:
            self._send(response)

    async def _end_aside(self, answer: Answer) -> None:
        head = self.head
        try:
            self._send(await self._shared.plane.end_aside(head.target, head.headers, self._call, answer))
        except Exception as error:
            self._fail(error)

    async def _answer(self, body: bytes) -> None:
        """The way of a request that has to wait for more than its run."""
        head = self.head
        with bound_contextvars(request_id=self._request_id):
            self._send(await self._shared.plane.answer(head.target, head.headers, body))

    def _fail(self, error: Exception) -> None:
        with bound_contextvars(request_id=self._request_id):
            self._send(self._shared.plane.failure(self.head.target, error, self._seconds))

    @property
    def _seconds(self) -> float:
        return time.perf_counter() - self._started_at

    def _send(self, response: Response) -> None:
        protocol, head = self._protocol, self.head
        if self.disconnected or protocol.transport.is_closing():
            return
        own = OWN_HEADERS % (len(response.body), self._request_id.encode())
        end = b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n"
        lines = (STATUS_LINE[response.status], protocol.default_lines, response.head, own, end, response.body)
        self._shared.outbox.put(Answered(self, b"".join(lines), head.target, response, self._seconds))
        if response.status == 500:
            client = protocol.client
            log_request("POST", head.target.path, 500, self._seconds, client[0] if client else None)

    def write(self, answer: bytes) -> None:
        """Hand the answer to the transport, which ends the exchange."""
        protocol = self._protocol
        if protocol.transport.is_closing():
            return
        protocol.transport.write(answer)
        self.response_complete = True
        if not self.keep_alive:
            protocol.transport.close()
        else:
            protocol.pause()
