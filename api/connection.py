"""The HTTP/1.1 connection: uvicorn's httptools protocol with bounds on the size and the time of a request's head.

The parser itself sets no bound, so that endless headers would fill the memory, and a client that connects
and says nothing would hold its connection for ever.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100


class BoundedHttpProtocol(HttpToolsProtocol):
    """Ends a connection whose request head is too long, or not complete within `head_timeout_seconds`."""

    head_timeout_seconds = 20.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._num_headers = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request's head."""
        super().connection_made(transport)
        self._start_head_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_head_timer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins: bytes and headers are counted anew."""
        super().on_message_begin()
        self._head_bytes = 0
        self._num_headers = 0
        self._start_head_timer()

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One whole header."""
        self._num_headers += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete; the body has its own clock in `api.body_limit`."""
        self._stop_head_timer()
        super().on_headers_complete()

    def _count(self, num_bytes: int) -> None:
        self._head_bytes += num_bytes
        if self._head_bytes > MAX_HEAD_BYTES or self._num_headers > MAX_HEADERS:
            raise httptools.HttpParserError("request head too long")

    def _start_head_timer(self) -> None:
        self._stop_head_timer()
        self._head_timer = self.loop.call_later(self.head_timeout_seconds, self.timeout_keep_alive_handler)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def connection_class(head_timeout_seconds: float) -> type[BoundedHttpProtocol]:
    """The protocol with this time for a request's head, as a class, since uvicorn makes the instances."""
    return type("HttpProtocol", (BoundedHttpProtocol,), {"head_timeout_seconds": head_timeout_seconds})
