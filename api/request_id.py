"""The outermost layer: a request's id, its line in the access log, and 500 for what nobody foresaw."""

import itertools
import re
import secrets
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.data_plane.targets import is_prediction
from api.problems import unexpected_error
from api.telemetry import Telemetry

# Written into logs and headers as it is, so nothing but these characters is taken from a client.
REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")

_PREFIX = secrets.token_hex(10)
_numbers = itertools.count()

log = structlog.get_logger("api.access")


def request_id_of(given: str) -> str:
    """The client's `X-Request-ID` if it is fit to be logged, else a new one: this process's prefix and a number."""
    return given if given and REQUEST_ID.fullmatch(given) else f"{_PREFIX}{next(_numbers):012x}"


def log_request(method: str, path: str, status: int, seconds: float, client: str | None) -> None:
    """A line of the access log; the path comes without its query, where people put secrets.

    A prediction is only counted, unless it failed inside: at thousands a second, lines would cost more than answers.
    """
    if is_prediction(path) and status not in (0, 500):
        return
    duration = round(seconds * 1000, 2)
    log.info("request", method=method, path=path, status=status, duration_ms=duration, client=client)


def route_of(scope: Scope) -> str:
    """The template of the route that was taken, such as `/v1/jobs/{job}`; paths themselves are too many to count."""
    return getattr(scope.get("route"), "path", "unmatched")


class RequestId:
    """The middleware."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self.telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request under its id."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = request_id_of(Headers(scope=scope).get("x-request-id", ""))
        started_at = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = request_id
                headers["x-content-type-options"] = "nosniff"
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except Exception as error:
                if status:  # too late for another answer: the server closes the connection
                    raise
                log.exception("request_failed")
                response = unexpected_error(scope["path"], error)
                await response(scope, receive, send_with_id)
            finally:
                seconds = time.perf_counter() - started_at
                self.telemetry.observe(route_of(scope), scope["method"], status, [seconds])
                client = scope.get("client")
                log_request(scope["method"], scope["path"], status, seconds, client[0] if client else None)
