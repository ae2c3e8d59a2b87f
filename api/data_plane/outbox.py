"""What is written at the end of a turn of the event loop."""

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from api.data_plane.messages import Response
from api.data_plane.plane import DataPlane
from api.data_plane.targets import Target
from api.telemetry import Telemetry

if TYPE_CHECKING:
    from api.data_plane.exchange import Exchange


class Answered(NamedTuple):
    """One answer as it goes onto the wire, to what, and the time that it took."""

    exchange: "Exchange"
    content: bytes
    target: Target
    response: Response
    seconds: float


class Outbox:
    """Answers of one turn of the event loop, written one right after the other, and counted together.

    A write that wakes a sleeping client costs several times one to a client that is awake. Between writes that
    follow at once it has no time to fall asleep.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, plane: DataPlane, telemetry: Telemetry) -> None:
        self._loop = loop
        self._plane = plane
        self._telemetry = telemetry
        self._answers: list[Answered] = []

    def put(self, answered: Answered) -> None:
        """Have an answer written when this turn is over."""
        if not self._answers:
            self._loop.call_soon(self._flush)
        self._answers.append(answered)

    def _flush(self) -> None:
        answers, self._answers = self._answers, []
        alike: defaultdict[tuple[object, ...], list[Answered]] = defaultdict(list)
        for answered in answers:
            answered.exchange.write(answered.content)
            response = answered.response
            alike[answered.target.route, response.status, response.model].append(answered)
        for group in alike.values():
            first, seconds = group[0], [answered.seconds for answered in group]
            self._plane.count(first.response, seconds)
            self._telemetry.observe(first.target.route, "POST", first.response.status, seconds)
