"""The HTTP/1.1 connection: uvicorn's httptools protocol, with bounds and with a short way for predictions.

The parser itself sets no bound on a request's head, so that endless headers would fill the memory, and a client
that connects and says nothing would hold its connection for ever.

A prediction that is plain in every way goes from here straight to the data plane. Whatever is not plain (chunked
or large bodies, repeated headers, `Expect`, pipelining, an answer in events, a client that does not read, a key that is
wrong) takes
the way of all requests, through the framework, which knows what to answer. A plain one that comes in one packet
with a head that was seen before is not even parsed.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from api.auth import ApiKey
from api.data_plane.exchange import Exchange
from api.data_plane.generation import may_stream
from api.data_plane.heads import Head, Heads
from api.data_plane.outbox import Outbox
from api.data_plane.plane import DataPlane
from api.data_plane.targets import parse
from api.event_stream import Streams
from api.problems import problem

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
# A body that arrives at once; it has the time of a head, and uvicorn would pause reading above.
MAX_SHORT_WAY_BYTES = 64 * 1024
MAX_LENGTH_DIGITS = 5
MALFORMED = (
    f"This is not HTTP/1.1, its method is unknown, or its head has more than {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} "
    "headers."
)
NOT_PLAIN = (b"transfer-encoding", b"expect", b"upgrade")
STATE = "connections"


@dataclass(frozen=True)
class Shared:
    """What all connections share; the application leaves it in its lifespan's state under `STATE`."""

    plane: DataPlane
    api_key: ApiKey
    streams: Streams
    outbox: Outbox
    heads: Heads
    head_timeout_seconds: float
    max_body_bytes: int
    """Of a prediction."""


class HttpProtocol(HttpToolsProtocol):
    """Ends a connection whose request head is too long, or not complete in time."""

    cycle: Any
    """uvicorn's own, or an `Exchange`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.url = b""
        self._shared: Shared = self.app_state[STATE]
        self._head_bytes = self._packet_bytes = 0
        self._is_between = True
        """Whether the parser is between two requests."""
        self._is_incomplete = self._is_head = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._paused_at = 0.0
        self._defaults: list[tuple[bytes, bytes]] = []
        self._default_lines = b""

    @property
    def default_lines(self) -> bytes:
        """The header lines of every answer; uvicorn makes new ones each second, for the date."""
        defaults = self.server_state.default_headers
        if defaults is not self._defaults:
            self._defaults = defaults
            self._default_lines = b"".join([b"%s: %s\r\n" % header for header in defaults])
        return self._default_lines

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request's head."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_head_timer()
        if isinstance(self.cycle, Exchange):
            self.cycle.leave()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """The server stops: let the event streams end, and this connection after the request under way."""
        self._shared.streams.closing.set()
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Answer a plain prediction whose head is known; parse whatever else."""
        if not (self._is_between and self._is_free and self._recall(data)):
            self._parse(data)

    def _recall(self, packet: bytes) -> bool:
        """Begin the prediction that a packet is, if it is a whole one with a head that was parsed before."""
        recalled = self._shared.heads.recall(packet)
        if recalled is None:
            return False
        head, body = recalled
        self._stop_head_timer()
        if not isinstance(self.cycle, Exchange):
            self._unset_keepalive_if_required()  # uvicorn's timer, which closes without looking
        self.cycle = Exchange(self, self._shared, head)
        self.cycle.begin(body)
        return True

    def _parse(self, data: bytes) -> None:
        """Parse; the clock runs, and bytes are counted, only for a request that is not whole at once."""
        self._packet_bytes = len(data)
        was_between = self._is_between
        super().data_received(data)
        if not self._is_incomplete:
            self._stop_head_timer()
            if was_between and self._is_between and isinstance(self.cycle, Exchange):
                self._shared.heads.remember(data, self.cycle.head)
            return
        if self._is_head:
            self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Request head too long.")
        elif self._head_timer is None:
            self._start_head_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be parsed in the shape of every other failure, and close the connection."""
        path = self.url.partition(b"?")[0].decode("latin-1")
        answer = problem(path, 400, "request_malformed", "Malformed request", MALFORMED)
        lines = [b"%s: %s\r\n" % header for header in answer.raw_headers]
        head = (STATUS_LINE[400], self.default_lines, *lines, b"connection: close\r\n\r\n")
        self.transport.write(b"".join((*head, bytes(answer.body))))
        self.transport.close()

    def on_message_begin(self) -> None:
        """A request begins: its bytes are counted anew. What the framework wants to know is gathered if it is asked."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        # The packet in which it begins may hold other requests before it.
        self._head_bytes = -self._packet_bytes
        self._is_incomplete = self._is_head = True
        self._is_between = False

    def on_headers_complete(self) -> None:
        """The head is complete: a plain prediction goes the short way, under the same clock until it is whole.

        Every other body has its own clock in `api.body_limit`.
        """
        self._check_head()
        self._is_head = False
        head = self._plain_prediction()
        if head is not None:
            self.cycle = Exchange(self, self._shared, head)
            return
        self._describe()
        self._is_incomplete = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._is_between = True
        if isinstance(self.cycle, Exchange) and self.cycle.more_body:
            self._is_incomplete = False
            self.cycle.begin(bytes(self.cycle.body))
        else:
            super().on_message_complete()

    def pause(self) -> None:
        """An exchange is over. Where uvicorn starts a timer after each answer and stops it at the next request, one
        timer here goes on for as long as there are exchanges, and looks when it is due: timers cost microseconds.
        """
        if self.pipeline:
            self.on_response_complete()
            return
        self.server_state.total_requests += 1
        self._paused_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_later(self.timeout_keep_alive)

    def _look_later(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self._look)

    def _look(self) -> None:
        """Close the connection if nothing has come since the last exchange for long enough."""
        self.timeout_keep_alive_task = None
        if not self.cycle.response_complete:
            return  # `pause` will be called again
        seconds_left = self._paused_at + self.timeout_keep_alive - self.loop.time()
        if seconds_left > 0:
            self._look_later(seconds_left)
        else:
            self.timeout_keep_alive_handler()

    def _describe(self) -> None:
        """Make the scope that uvicorn makes at the beginning of every request, and keep what has been read since."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers

    @property
    def _is_free(self) -> bool:
        """Whether a request may take the short way: none is before it, the client reads, and there is room."""
        limit = self.limit_concurrency
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and (limit is None or len(self.connections) < limit)
        )

    def _plain_prediction(self) -> Head | None:
        """The head of this request; None if it is not a plain prediction."""
        if self.parser.get_method() != b"POST" or (target := parse(self.url)) is None:
            return None
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        shared = self._shared
        is_plain = (
            len(headers) == len(self.headers)
            and length.isdigit()
            and len(length) <= MAX_LENGTH_DIGITS
            and int(length) <= min(MAX_SHORT_WAY_BYTES, shared.max_body_bytes)
            and not any(name in headers for name in NOT_PLAIN)
            and not may_stream(headers)
            and self._is_free
            and self.parser.get_http_version() == "1.1"
            and shared.api_key.refusal(self.headers, self.url.partition(b"?")[2]) is None
        )
        if not is_plain:
            return None
        request_id = headers.get(b"x-request-id", b"").decode("latin-1")
        return Head(target, headers, request_id, int(length), self.parser.should_keep_alive())

    def _check_head(self) -> None:
        """Raise `httptools.HttpParserError` for a head that is too long."""
        is_long = max(self._head_bytes, 0) + self._packet_bytes > MAX_HEAD_BYTES
        if len(self.headers) > MAX_HEADERS or (is_long and self._num_head_bytes() > MAX_HEAD_BYTES):
            raise httptools.HttpParserError("request head too long")

    def _num_head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _start_head_timer(self) -> None:
        self._stop_head_timer()
        self._head_timer = self.loop.call_later(self._shared.head_timeout_seconds, self.timeout_keep_alive_handler)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
