"""The data plane of one gateway: from a target, headers and a body to a response."""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError

from api.compression import decompress
from api.data_plane import generation, infer, predict
from api.data_plane.messages import Headers, Response
from api.data_plane.targets import CALL_ROUTES, Target
from api.problems import invalid_request, problem_of, unexpected_error
from services.errors import Invalid, SyllabusError
from services.serving.batch import Answer, Done, Ticket
from services.serving.calls import Call
from services.serving.engine import DEFAULT_PRIORITY, LAST_PRIORITY, deadline_after
from services.serving.generation.texts import TextCall
from services.serving.predictions import Predictor, Wish

MAX_TIMEOUT_MS = 600_000
KINDS: dict[str, Any] = {"predict": predict, "infer": infer, **dict.fromkeys(CALL_ROUTES, generation)}

log = structlog.get_logger(__name__)


class DataPlane:
    """Answers predictions, whichever way they came. `headers` have names in lower case."""

    def __init__(self, predictor: Predictor, *, timeout_seconds: float, max_bytes: int) -> None:
        self._predictor = predictor
        self._timeout_seconds = timeout_seconds
        self._max_bytes = max_bytes

    async def answer(self, target: Target, headers: Headers, body: bytes) -> Response:
        """The response to one request; every failure is one too."""
        started_at = time.monotonic()
        try:
            body = await self._decompressed(headers, body)
            wish = self._wish(target, headers)
            self._predictor.admit(len(body), wish.deadline)
            response: Response = await KINDS[target.kind].answer(self._predictor, target, wish, headers, body)
            return response
        except Exception as error:
            return self.failure(target, error, time.monotonic() - started_at)

    async def texts(self, target: Target, headers: Headers, body: bytes) -> TextCall | None:
        """The call of a request whose texts are to be sent as they are written: see `events`.

        None of any other, and of one that is wrong: `answer` says why.
        """
        try:
            body = await self._decompressed(headers, body)
            return await generation.texts(self._predictor, target, self._wish(target, headers), headers, body)
        except Exception:
            return None

    async def events(self, target: Target, call: TextCall) -> AsyncGenerator[tuple[bytes, bytes]]:
        """Names and data of its events; the last is `error`, with what `failure` says, if it fails."""
        started_at = time.monotonic()
        response = Response(200, b"", b"", call.found.model)
        try:
            async with aclosing(generation.events(self._predictor, call)) as events:
                async for event in events:
                    yield event
        except Exception as error:
            response = self.failure(target, error)
            yield b"error", response.body
        finally:
            self.count(response, [time.monotonic() - started_at])

    def begin(self, target: Target, headers: Headers, body: bytes) -> Call | None:
        """The call of a request for which nothing has to be waited for but its run; None for any other: see `answer`.

        Raises what `failure` makes a response of, as `submit`, `end` and `end_aside` do.
        """
        if b"content-encoding" in headers:
            return None
        wish = self._wish(target, headers)
        call: Call | None = KINDS[target.kind].begin(self._predictor, target, wish, headers, body)
        return call

    def submit(self, call: Call, done: Done) -> Ticket:
        """Queue a call; `done` gets its answer, or an error that `failure` makes a response of."""
        return self._predictor.submit(call, done)

    def end(self, target: Target, headers: Headers, call: Call, answer: Answer) -> Response | None:
        """The response to a request that was begun; None if it takes long to write: see `end_aside`."""
        return KINDS[target.kind].end(call, answer, headers) if self._predictor.is_quick(call, answer) else None

    async def end_aside(self, target: Target, headers: Headers, call: Call, answer: Answer) -> Response:
        """The same, written on a thread."""
        return await self._predictor.aside(call.effort(answer), KINDS[target.kind].end, call, answer, headers)

    def failure(self, target: Target, error: Exception, seconds: float = 0.0) -> Response:
        """The response to a request that failed after so many seconds."""
        if isinstance(error, SyllabusError):
            answer = problem_of(target.path, error)
        elif isinstance(error, RequestValidationError):
            answer = invalid_request(target.path, error)
        else:
            log.error("prediction_failed", path=target.path, exc_info=error)
            answer = unexpected_error(target.path, error)
        lines = [b"%s: %s\r\n" % header for header in answer.raw_headers if header[0] != b"content-length"]
        lines.append(b"server-timing: total;dur=%.3f\r\n" % (seconds * 1000))
        model = self._predictor.known(target.model, target.version, target.variant, target.kind)
        return Response(answer.status_code, b"".join(lines), bytes(answer.body), model)

    def count(self, response: Response, seconds: Sequence[float]) -> None:
        """Count responses of this one's model and status, and the time that each took."""
        if response.model is not None:
            self._predictor.engine.metrics_of(response.model).answered(response.status, seconds)

    async def _decompressed(self, headers: Headers, body: bytes) -> bytes:
        """The body as it was before it was compressed. Raises as `decompress`."""
        if (encoding := headers.get(b"content-encoding")) is None:
            return body
        return await self._predictor.side.run(len(body), decompress, body, encoding.decode("latin-1"), self._max_bytes)

    def _wish(self, target: Target, headers: Headers) -> Wish:
        seconds, priority = self._timeout_seconds, DEFAULT_PRIORITY
        if (timeout := headers.get(b"x-timeout-ms")) is not None:
            seconds = _whole(b"x-timeout-ms", timeout, MAX_TIMEOUT_MS) / 1000
        if (wished := headers.get(b"x-priority")) is not None:
            priority = _whole(b"x-priority", wished, LAST_PRIORITY)
        return Wish(deadline_after(seconds), target.version, target.variant, priority, target.kind)


def _whole(name: bytes, value: bytes, most: int) -> int:
    """The value of a header that is a whole number from 1 to `most`. Raises `Invalid`."""
    if not value.isdigit() or len(value) > 9 or not 1 <= int(value) <= most:
        raise Invalid.field("header_invalid", ["header", name.decode()], f"a whole number from 1 to {most}")
    return int(value)
