import asyncio
import threading
import time
from collections.abc import Coroutine
from math import inf
from typing import Any

import pytest

from services.errors import TooManyRequests
from services.serving.side_threads import SideThreads


def tried(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


async def taught(side: SideThreads) -> None:
    """That a thousand bytes take 20 ms or more."""
    for _ in range(4):
        await side.run(1000, time.sleep, 0.02)


def test_what_is_done_beside_comes_back_and_so_does_what_goes_wrong() -> None:
    async def scenario() -> None:
        side = SideThreads(2)
        assert await side.run(10, int, "7") == 7
        with pytest.raises(ValueError, match="seven"):
            await side.run(10, int, "seven")
        side.close()

    tried(scenario())


def test_a_body_behind_too_much_is_refused_and_taken_when_that_is_done() -> None:
    async def scenario() -> None:
        side, hold = SideThreads(1), threading.Event()
        await taught(side)
        waiting = [asyncio.ensure_future(side.run(5000, hold.wait, 20)) for _ in range(4)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyRequests) as refusal:
            side.admit(1000, time.monotonic() + 0.4)  # of 20,000 bytes, which take 0.4 s a stage
        assert refusal.value.retry_after_seconds >= 1
        side.admit(1000, inf)
        hold.set()
        await asyncio.gather(*waiting)
        side.admit(1000, time.monotonic())
        side.close()

    tried(scenario())


def test_nothing_is_refused_while_nothing_is_known_or_nothing_waits() -> None:
    async def scenario() -> None:
        side, hold = SideThreads(1), threading.Event()
        waiting = asyncio.ensure_future(side.run(10**9, hold.wait, 20))
        await asyncio.sleep(0)
        side.admit(1000, time.monotonic() + 1)
        hold.set()
        await waiting
        await taught(side)
        side.admit(10**9, time.monotonic() + 1)
        side.close()

    tried(scenario())


def test_who_leaves_takes_the_bytes_along() -> None:
    async def scenario() -> None:
        side, hold = SideThreads(1), threading.Event()
        await taught(side)
        first = asyncio.ensure_future(side.run(1000, hold.wait, 20))
        left = asyncio.ensure_future(side.run(10**9, time.sleep, 0))
        await asyncio.sleep(0)
        left.cancel()
        await asyncio.sleep(0)
        side.admit(1000, time.monotonic() + 5)
        hold.set()
        await first
        side.close()

    tried(scenario())
