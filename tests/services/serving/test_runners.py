"""The threads that run batches."""

import asyncio
import threading
import time
from collections.abc import Sequence

import numpy as np
import onnxruntime
import pytest

from services.serving.batch import Run, Ticket
from services.serving.network import Feeds, Network, Outputs
from services.serving.runners import Runners
from tests.services.serving.engines import ask, batches, bench, floats, later, learned, network_of, settled
from tests.serving_models import endless_below_zero, mirror, slow


class Watched(Network):
    """A network that notes how many of its runs, and of those beside it, are under way."""

    now: dict[str, int]
    most: dict[str, int]
    order: list[str]
    name: str

    def watch(self, name: str, now: dict[str, int], most: dict[str, int], order: list[str]) -> "Watched":
        """Share what is noted with other networks."""
        self.name, self.now, self.most, self.order = name, now, most, order
        return self

    def run(self, feeds: Feeds, options: onnxruntime.RunOptions | None = None) -> Outputs:
        """As every network."""
        self.order.append(self.name)
        self.now[self.name] = self.now.get(self.name, 0) + self.threads
        for name, count in (*self.now.items(), ("all", sum(self.now.values()))):
            self.most[name] = max(self.most.get(name, 0), count)
        time.sleep(0.002)
        try:
            return super().run(feeds, options)
        finally:
            self.now[self.name] -= self.threads


def watched(name: str, notes: tuple[dict[str, int], dict[str, int], list[str]], threads: int = 1) -> Watched:
    plain = network_of(mirror(), bounded=False)
    network = Watched(
        plain.session, threads=threads, concurrency=1, batchable=False, bounded=False, num_bytes=plain.num_bytes
    )
    return network.watch(name, *notes)


@pytest.mark.parametrize(("slots", "threads"), [(1, (1, 1)), (2, (1, 1)), (2, (2, 1)), (3, (2, 2))])
def test_no_more_processors_are_at_work_than_there_are(slots: int, threads: tuple[int, int]) -> None:
    async def scenario() -> None:
        notes: tuple[dict[str, int], dict[str, int], list[str]] = ({}, {}, [])
        async with bench(slots) as opened:
            queues = [opened.batcher(watched(name, notes, count)) for name, count in zip("ab", threads, strict=True)]
            wishes = [ask(queue, {"x": floats(1, 4)}, later()) for _ in range(20) for queue in queues]
            await asyncio.gather(*wishes)
        _, most, order = notes
        assert len(order) == 40
        assert most["all"] <= slots
        assert most["all"] == max(threads) or most["all"] == slots, "and they are used"

    asyncio.run(scenario())


def test_a_busy_model_does_not_starve_another() -> None:
    async def scenario() -> None:
        notes: tuple[dict[str, int], dict[str, int], list[str]] = ({}, {}, [])
        async with bench(slots=1) as opened:
            busy, modest = (opened.batcher(watched(name, notes)) for name in ("busy", "modest"))
            flood = [ask(busy, {"x": floats(1, 4)}, later()) for _ in range(50)]
            await settled(lambda: notes[2], "the flood's beginning")
            few = [ask(modest, {"x": floats(1, 4)}, later()) for _ in range(5)]
            await asyncio.gather(*few)
            assert sum(not future.done() for future in flood) > 20
            await asyncio.gather(*flood)
        order = notes[2]
        first = order.index("modest")
        assert order[first : first + 9] == ["modest", "busy"] * 4 + ["modest"], "they take turns"

    asyncio.run(scenario())


def test_a_wide_network_gets_its_turn_among_narrow_ones() -> None:
    async def scenario() -> None:
        notes: tuple[dict[str, int], dict[str, int], list[str]] = ({}, {}, [])
        async with bench(slots=2) as opened:
            narrow, wide = opened.batcher(watched("narrow", notes)), opened.batcher(watched("wide", notes, threads=2))
            flood = [ask(narrow, {"x": floats(1, 4)}, later()) for _ in range(60)]
            await settled(lambda: notes[2], "the flood's beginning")
            await ask(wide, {"x": floats(1, 4)}, later())
            assert sum(not future.done() for future in flood) > 20
            await asyncio.gather(*flood)

    asyncio.run(scenario())


def test_runs_without_an_end_leave_a_processor_to_the_others() -> None:
    async def scenario() -> None:
        async with bench(slots=2) as opened:
            endless = [opened.batcher(network_of(endless_below_zero(), bounded=False), name=name) for name in "abc"]
            left = [ask(queue, {"x": np.full((1, 2), -1, np.float32)}, later(600)) for queue in endless]
            await settled(lambda: any(queue.rows_running for queue in endless), "the beginning of an endless run")
            bounded = opened.batcher(network_of(slow(turns=20)), learned(1.0))
            answer = await ask(bounded, {"x": floats(1, 4)}, later())
            np.testing.assert_array_equal(answer.outputs[0], floats(1, 4))
            assert sum(queue.rows_running for queue in endless) == 1
            for each in left:
                each.cancel()

    asyncio.run(scenario())


def test_the_others_at_work_are_counted() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            alone, endless = (
                opened.batcher(network_of(graph, bounded=False)) for graph in (mirror(), endless_below_zero())
            )
            assert opened.runners.stretch(alone) == 1
            blocked = ask(endless, {"x": np.full((1, 2), -1, np.float32)}, later())
            await settled(lambda: endless.rows_running, "the beginning of the endless run")
            assert opened.runners.stretch(alone) == 2
            assert opened.runners.stretch(endless) == 1
            blocked.cancel()
            await settled(lambda: endless.is_idle, "the end of the endless run")
            assert opened.runners.stretch(alone) == 1

    asyncio.run(scenario())


def test_everything_queued_is_answered_in_the_end() -> None:
    async def scenario() -> None:
        async with bench(slots=2) as opened:
            queues = [opened.batcher(network_of(slow(turns=20), bounded=False), learned(), name) for name in "abc"]
            wishes = []
            for seed in range(300):
                wishes.append((seed, ask(queues[seed % 3], {"x": floats(1, 4, seed=seed)}, later())))
                if seed % 7 == 0:
                    await asyncio.sleep(0)
            for seed, future in wishes:
                np.testing.assert_array_equal((await future).outputs[0], floats(1, 4, seed=seed))
            await settled(lambda: all(queue.is_idle for queue in queues), "the end of the queues")
            for name in "abc":
                assert sum(rows * runs for rows, runs in batches(opened.registry, name).items()) == 100

    asyncio.run(scenario())


class _Nothing:
    """A source that offers itself and has nothing after all."""

    network = network_of(mirror())
    rows_waiting = 0

    def take(self) -> list[Ticket]:
        """Nothing."""
        return []

    def deliver(self, tickets: Sequence[Ticket], outcome: Run) -> None:
        """Never called."""
        raise AssertionError


def test_threads_end_when_the_runners_close() -> None:
    async def scenario() -> None:
        runners = Runners(3, asyncio.get_running_loop())
        for _ in range(10):
            runners.offer(_Nothing())
        await asyncio.to_thread(runners.close)
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("runner")]

    asyncio.run(scenario())
