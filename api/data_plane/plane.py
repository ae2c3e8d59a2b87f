"""The data plane of one gateway: from a target, headers and a body to a response."""

import time
from collections.abc import Mapping

import structlog
from fastapi.exceptions import RequestValidationError

from api.data_plane import infer, predict
from api.data_plane.messages import Headers, Response
from api.data_plane.targets import Target
from api.problems import invalid_request, problem_of, unexpected_error
from services.errors import Invalid, SyllabusError
from services.serving.engine import DEFAULT_PRIORITY, LAST_PRIORITY, deadline_after
from services.serving.predictions import Predictor, Wish

MAX_TIMEOUT_MS = 600_000

log = structlog.get_logger(__name__)


class DataPlane:
    """Answers predictions, whichever way they came."""

    def __init__(self, predictor: Predictor, *, timeout_seconds: float, max_bytes: int) -> None:
        self._predictor = predictor
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes

    async def answer(self, target: Target, headers: Headers, body: bytes) -> Response:
        """The answer to one request; every failure is one too. `headers` have names in lower case."""
        started_at = time.monotonic()
        try:
            wish = self._wish(target, headers)
            if target.kind == "predict":
                model, response = await predict.answer(self._predictor, target, wish, headers, body)
            else:
                model, response = await infer.answer(self._predictor, target, wish, headers, body, self._max_bytes)
        except Exception as error:
            return self.failure(target, error, time.monotonic() - started_at)
        self._predictor.engine.metrics_of(model).answered(response.status, time.monotonic() - started_at)
        return response

    def _wish(self, target: Target, headers: Headers) -> Wish:
        timeout = _whole(headers, b"x-timeout-ms", MAX_TIMEOUT_MS)
        seconds = self._timeout_seconds if timeout is None else timeout / 1000
        priority = _whole(headers, b"x-priority", LAST_PRIORITY) or DEFAULT_PRIORITY
        return Wish(deadline_after(seconds), target.version, target.variant, priority)

    def failure(self, target: Target, error: Exception, seconds: float = 0.0) -> Response:
        """The answer to a request that failed after so many seconds."""
        if isinstance(error, SyllabusError):
            answer = problem_of(target.path, error)
        elif isinstance(error, RequestValidationError):
            answer = invalid_request(target.path, error)
        else:
            log.exception("prediction_failed", path=target.path)
            answer = unexpected_error(target.path, error)
        model = self._predictor.known(target.model, target.version, target.variant)
        if model is not None:
            self._predictor.engine.metrics_of(model).answered(answer.status_code, seconds)
        lines = [b"%s: %s\r\n" % header for header in answer.raw_headers if header[0] != b"content-length"]
        lines.append(b"server-timing: total;dur=%.3f\r\n" % (seconds * 1000))
        return Response(answer.status_code, b"".join(lines), bytes(answer.body))


def _whole(headers: Mapping[bytes, bytes], name: bytes, most: int) -> int | None:
    """A header that is a whole number from 1 to `most`. Raises `Invalid`."""
    value = headers.get(name)
    if value is None:
        return None
    if not value.isdigit() or len(value) > 9 or not 1 <= int(value) <= most:
        raise Invalid.field("header_invalid", ["header", name.decode()], f"a whole number from 1 to {most}")
    return int(value)
