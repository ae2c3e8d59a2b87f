"""Threads for work beside the event loop that takes time by the byte: reading long bodies and writing long answers."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from services.errors import TooManyRequests
from services.serving.batching import MARGIN

WINDOW = 64
"""Pieces of work that say how fast they are done, all together: a small file that unpacks to much does not speak for
all."""
STAGES = 4
"""How often a request comes by: its body is read, its inputs are opened and decoded, and its answer is written."""
Result = TypeVar("Result")


class SideThreads:
    """As many as there are processors. They learn how many bytes they deal with in a second when there is enough to do.

    That is learned from the time between one end and the next, since most of the work holds the interpreter's lock, and
    the event loop takes its share.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="side")
        self._bytes = 0
        self._last_end = 0.0
        self._recent: deque[tuple[int, float]] = deque(maxlen=WINDOW)
        self._seconds_per_byte = 0.0

    def admit(self, num_bytes: int, deadline: float) -> None:
        """Raise `TooManyRequests` if by all that is known a body of so many bytes cannot be dealt with in time."""
        seconds = STAGES * (self._bytes + num_bytes) * self._seconds_per_byte
        if self._bytes and time.monotonic() + MARGIN * seconds > deadline:
            detail = "Too much waits to be read to answer within the deadline; try again later or allow more time."
            raise TooManyRequests("overloaded", detail, max(1, math.ceil(seconds)))

    async def run(self, num_bytes: int, work: Callable[..., Result], *arguments: Any) -> Result:
        """Do what takes time by the byte."""
        num_bytes = max(1, num_bytes)
        if not self._bytes:
            self._last_end = time.monotonic()
        self._bytes += num_bytes
        try:
            result = await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
            self._learn(num_bytes)
            return result
        finally:
            self._bytes -= num_bytes

    def close(self) -> None:
        """End the threads; what waits is not begun."""
        self._pool.shutdown(cancel_futures=True)

    def _learn(self, num_bytes: int) -> None:
        now = time.monotonic()
        self._recent.append((num_bytes, now - self._last_end))
        self._last_end = now
        self._seconds_per_byte = sum(each for _, each in self._recent) / sum(each for each, _ in self._recent)
