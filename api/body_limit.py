"""Bounds on request bodies: how many bytes, and how slowly.

Pure ASGI, so that it holds for every route and counts what arrives, whatever `Content-Length` says.
"""

import asyncio
import time

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.data_plane.targets import is_prediction
from api.problems import problem, problem_of
from services.errors import SyllabusError, TooLarge
from services.settings import Settings

# A body may take the receive timeout plus the time it needs at this pace: slower than any modem.
MIN_BYTES_PER_SECOND = 1024
MAX_LENGTH_DIGITS = 18  # Python refuses to read thousands of digits, be they all zeros
LINGER_SECONDS = 2.0
LINGER_BYTES = 16 * 2**20


class SlowBody(SyllabusError):
    """The body arrives too slowly, or no longer."""

    title = "Request timeout"


def limit_for(settings: Settings, method: str, path: str) -> int:
    """The most bytes that the body of a request may have."""
    if method == "POST" and path in ("/v1/datasets", "/v1/models"):
        return settings.max_upload_bytes
    if is_prediction(path):
        return settings.max_predict_bytes
    return settings.max_body_bytes


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body_too_large", f"The body is over the limit of {limit} bytes for this route.")


class _BoundedBody:
    """`receive` of one request, counted and timed."""

    def __init__(self, receive: Receive, limit: int, timeout_seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._timeout_seconds = timeout_seconds
        self._started_at = time.monotonic()
        self._received = 0
        self._complete = False
        self.failure: SyllabusError | None = None

    async def __call__(self) -> Message:
        if self._complete:  # what comes now is only the client's leaving, for which anyone may wait
            return await self._receive()
        if self.failure is not None:
            raise self.failure
        try:
            async with asyncio.timeout(self._allowance_seconds()):
                message = await self._receive()
        except TimeoutError:
            self.failure = SlowBody("body_too_slow", "The body arrives too slowly; send it again on a better line.")
            raise self.failure from None
        if message["type"] == "http.request":
            self._received += len(message.get("body", b""))
            self._complete = not message.get("more_body", False)
            if self._received > self._limit:
                self.failure = _too_large(self._limit)
                raise self.failure
        return message

    def _allowance_seconds(self) -> float:
        elapsed = time.monotonic() - self._started_at
        earned = self._timeout_seconds + self._received / MIN_BYTES_PER_SECOND - elapsed
        return max(0.0, min(self._timeout_seconds, earned))


async def _drain(receive: Receive) -> None:
    """Read on for a moment: closing on unread bytes resets the connection, and the answer would be lost."""
    received = 0
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while received < LINGER_BYTES:
                message = await receive()
                received += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return


async def _answer_and_close(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    response.headers["connection"] = "close"
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    if "expect" not in Headers(scope=scope):  # who waits for "100 Continue" has sent nothing yet
        await _drain(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


class BodyLimit:
    """The middleware: 413 by `Content-Length` before a byte is read, or in mid-stream by count; 408 when slow."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a bounded `receive`."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        limit = limit_for(self.settings, scope["method"], scope["path"])
        declared = Headers(scope=scope).get("content-length", "0").strip(" \t")  # the parser leaves what may follow
        if not declared.isdecimal() or len(declared) > MAX_LENGTH_DIGITS or int(declared) > limit:
            return await _answer_and_close(problem_of(scope["path"], _too_large(limit)), scope, receive, send)

        body = _BoundedBody(receive, limit, self.settings.receive_timeout_seconds)
        started = False

        async def send_unless_failed(message: Message) -> None:
            # A route may have caught the failure on its way up and answered something vaguer.
            nonlocal started
            if body.failure is None or started:
                started = True
                await send(message)

        try:
            await self.app(scope, body, send_unless_failed)
        except SyllabusError:
            if body.failure is None:
                raise
        if body.failure is not None and not started:
            await _answer_and_close(_failure_response(scope["path"], body.failure), scope, receive, send)


def _failure_response(path: str, failure: SyllabusError) -> Response:
    if isinstance(failure, SlowBody):
        return problem(path, 408, failure.code, failure.title, failure.detail)
    return problem_of(path, failure)
