"""The short way: one request of the data plane, straight from the connection's parser to its transport.

uvicorn's protocol keeps one `cycle` a request. An exchange stands in its place, with the same attributes, so
that pipelining, keep-alive and a graceful stop work as for every other request; but it makes no scope, passes
no middleware and sends no messages. `api.connection` gives it only requests that are plain in every way.
"""

import asyncio
import time
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from api.data_plane.messages import Headers, Response
from api.data_plane.plane import DataPlane
from api.data_plane.targets import Target
from api.request_id import log_request, request_id_of
from api.telemetry import Telemetry

if TYPE_CHECKING:
    from api.connection import HttpProtocol


class Unheard:
    """Stands for the event by which uvicorn wakes a request that waits for its body; an exchange needs none."""

    def set(self) -> None:
        """Nobody waits."""


class Exchange:
    """One request and its answer."""

    message_event = Unheard()

    def __init__(
        self, protocol: "HttpProtocol", plane: DataPlane, telemetry: Telemetry, target: Target, headers: Headers
    ) -> None:
        self._protocol = protocol
        self._plane = plane
        self._telemetry = telemetry
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
        response = await self._plane.answer(self._target, self._headers, bytes(self.body))
        self._send(response)
        seconds = time.perf_counter() - self._started_at
        self._telemetry.observe(self._target.route, "POST", response.status, seconds)
        if response.status != 200:
            client = self._protocol.client
            log_request("POST", self._target.path, response.status, seconds, client[0] if client else None)

    def _send(self, response: Response) -> None:
        transport = self._protocol.transport
        if self.disconnected or transport.is_closing():
            return
        request_id = request_id_of(self._headers.get(b"x-request-id", b"").decode("latin-1"))
        lines = [STATUS_LINE[response.status]]
        for name, value in (*self._protocol.server_state.default_headers, *response.headers):
            lines.append(b"%s: %s\r\n" % (name, value))
        lines.append(
            b"content-length: %d\r\nx-request-id: %s\r\nx-content-type-options: nosniff\r\n"
            % (len(response.body), request_id.encode())
        )
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        lines.append(response.body)
        transport.write(b"".join(lines))
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        self._protocol.on_response_complete()
