"""Dynamic batching: what is run together, in which order, and what is never run at all."""

import asyncio
import threading
import time

import numpy as np
import pytest

from services.errors import DeadlineExceeded, TooManyRequests
from services.serving.batch import Answer, Done, Result, Ticket, answer_of
from services.serving.batching import INLINE_SECONDS, Batcher
from services.serving.memory import QueueMemory
from services.serving.runners import Runners
from tests.services.serving.engines import (
    Asked,
    Bench,
    ask,
    batches,
    bench,
    floats,
    later,
    learned,
    network_of,
    settled,
)
from tests.serving_models import endless_below_zero, lookup, mirror, slow

FOREVER = {"x": np.full((1, 2), -1, np.float32)}
FINE = {"x": np.ones((1, 2), np.float32)}


def ask_mirror(batcher: Batcher, rows: int = 1, seed: int = 0, priority: int = 5) -> Asked:
    """One request to a `mirror`."""
    return ask(batcher, {"x": floats(rows, 4, seed=seed)}, later(), priority)


async def busy(opened: Bench) -> Asked:
    """Keep a runner busy until what is answered is cancelled."""
    endless = opened.batcher(network_of(endless_below_zero(), bounded=False), name="endless")
    future = ask(endless, FOREVER, later(600))
    await settled(lambda: endless.rows_running, "the beginning of the endless run")
    return future


def test_what_arrives_in_one_turn_of_the_loop_is_one_batch() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror()))
            futures = [ask_mirror(batcher, seed=seed) for seed in range(8)]
            for seed, answer in enumerate(await asyncio.gather(*futures)):
                np.testing.assert_array_equal(answer.outputs[0], floats(1, 4, seed=seed)[:, ::-1])
            assert batches(opened.registry) == {8: 1}
            await ask_mirror(batcher, rows=3)
            assert batches(opened.registry) == {8: 1, 3: 1}
            assert batcher.is_idle

    asyncio.run(scenario())


def test_what_arrives_while_a_batch_runs_forms_the_next_one() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            batcher = opened.batcher(network_of(mirror(), bounded=False))
            blocked = await busy(opened)
            futures = [ask_mirror(batcher, seed=seed) for seed in range(5)]
            await asyncio.sleep(0.01)
            futures += [ask_mirror(batcher, seed=seed) for seed in range(5, 9)]
            await asyncio.sleep(0.01)
            assert not any(future.done() for future in futures)
            blocked.cancel()
            for seed, answer in enumerate(await asyncio.gather(*futures)):
                np.testing.assert_array_equal(answer.outputs[0], floats(1, 4, seed=seed)[:, ::-1])
            assert batches(opened.registry) == {9: 1}

    asyncio.run(scenario())


def test_a_batch_is_no_larger_than_what_was_learned_to_be_best() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            times = learned(max_rows=4)
            batcher = opened.batcher(network_of(mirror()), times)
            await asyncio.gather(*(ask_mirror(batcher) for _ in range(10)))
            assert sum(rows * runs for rows, runs in batches(opened.registry).items()) == 10
            assert max(batches(opened.registry)) <= 4

    asyncio.run(scenario())


def test_rows_of_a_graph_that_is_not_batchable_are_never_joined() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror(), batchable=False))
            await asyncio.gather(*(ask_mirror(batcher) for _ in range(6)))
            assert batches(opened.registry) == {1: 6}

    asyncio.run(scenario())


def test_priority_comes_first_and_then_the_deadline() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            batcher = opened.batcher(network_of(mirror(), batchable=False, bounded=False))
            blocked = await busy(opened)
            order: list[tuple[int, int]] = []
            wishes = [(5, 30), (9, 10), (5, 20), (1, 90), (1, 80), (5, 20), (9, 5)]
            futures = []
            for priority, seconds in wishes:
                future = ask(batcher, {"x": floats(1, 4)}, later(seconds), priority)
                future.add_done_callback(lambda _, wish=(priority, seconds): order.append(wish))  # type: ignore[misc]
                futures.append(future)
            blocked.cancel()
            await asyncio.gather(*futures)
            assert order == sorted(wishes)

    asyncio.run(scenario())


@pytest.mark.parametrize("bounded", [True, False], ids=["on the loop", "on a thread"])
def test_what_was_cancelled_is_never_computed(bounded: bool) -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror(), bounded=bounded))
            futures = [ask_mirror(batcher, rows=2) for _ in range(6)]
            for future in futures[::2]:
                future.cancel()
            await asyncio.gather(*futures[1::2])
            assert batches(opened.registry) == {6: 1}
            await settled(lambda: batcher.is_idle, "the end of the queue")

    asyncio.run(scenario())


def test_what_expired_is_told_so_even_while_a_run_hangs() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            batcher = opened.batcher(network_of(mirror(), bounded=False))
            blocked = await busy(opened)
            late = ask(batcher, {"x": floats(1, 4)}, later(0.05))
            with pytest.raises(DeadlineExceeded):
                await late
            assert not blocked.done()
            blocked.cancel()
            await ask_mirror(batcher)
            assert batches(opened.registry) == {1: 1}, "and what expired was not computed"

    asyncio.run(scenario())


def test_what_expired_before_its_turn_on_the_loop_is_not_computed() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror()))
            late = ask(batcher, {"x": floats(1, 4)}, later(0.001))
            time.sleep(0.01)  # noqa: ASYNC251 - the loop itself is late
            with pytest.raises(DeadlineExceeded):
                await late
            assert batches(opened.registry) == {}
            assert batcher.is_idle

    asyncio.run(scenario())


def test_a_run_that_nobody_waits_for_is_ended() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            batcher = opened.batcher(network_of(endless_below_zero(), bounded=False))
            with pytest.raises(DeadlineExceeded):
                await ask(batcher, FOREVER, later(0.1))
            answer = await ask(batcher, FINE, later())
            np.testing.assert_array_equal(answer.outputs[0], FINE["x"])
            assert batcher.is_idle

    asyncio.run(scenario())


def test_a_deadline_holds_when_a_thread_was_quicker_than_the_loop() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            batcher = opened.batcher(network_of(endless_below_zero(), bounded=False))
            future = ask(batcher, FOREVER, later(0.1))
            opened.runners.offer(batcher)  # as a runner that has just finished a batch of this queue does
            while batcher.rows_waiting:
                time.sleep(0.001)  # noqa: ASYNC251 - the loop gets no turn before the thread has taken it
            with pytest.raises(DeadlineExceeded):
                async with asyncio.timeout(10):
                    await future
            await ask(batcher, FINE, later())

    asyncio.run(scenario())


class Deserted(Batcher):
    """A queue whose clients leave between the taking of a batch and its run."""

    def take(self, *args: int | None) -> list[object]:  # type: ignore[override]
        tickets = super().take(*args)
        for ticket in tickets:
            self._loop.call_soon_threadsafe(ticket.leave)
        while not all(ticket.is_over for ticket in tickets):
            time.sleep(0.001)
        time.sleep(0.02)
        return list(tickets)


def test_a_run_that_was_left_before_it_began_is_ended_too() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            network = network_of(endless_below_zero(), bounded=False)
            loop = asyncio.get_running_loop()
            metrics = opened.metrics.of("d", 1, "")
            deserted = Deserted(network, learned(), opened.runners, metrics, QueueMemory(2**28), loop)
            left = ask(deserted, FOREVER, later())
            await settled(lambda: left.ticket.is_over, "the client's leaving")
            await ask(opened.batcher(network), FINE, later(5))

    asyncio.run(scenario())


def test_runners_end_what_runs_when_they_close() -> None:
    async def scenario() -> None:
        runners: Runners
        async with bench(slots=1) as opened:
            runners = opened.runners
            future = await busy(opened)
            async with asyncio.timeout(20):
                await asyncio.to_thread(runners.close)
            await asyncio.sleep(0)
            assert future.done() or future.cancel()

    asyncio.run(scenario())


def test_a_request_that_fails_in_company_fails_alone() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(lookup()))
            numbers = [3, 4, 99, 5, -77, 6]
            futures = [ask(batcher, {"x": np.array([number])}, later()) for number in numbers]
            results = await asyncio.gather(*futures, return_exceptions=True)
            codes = [getattr(result, "code", None) for result in results]
            assert codes == [None, None, "inference_failed", None, "inference_failed", None]
            squares = [result.outputs[0].tolist() for result in results if isinstance(result, Answer)]
            assert squares == [[9.0], [16.0], [25.0], [36.0]]
            assert batcher.is_idle

    asyncio.run(scenario())


def test_what_cannot_be_answered_in_time_is_refused_at_once() -> None:
    async def scenario() -> None:
        async with bench(slots=1) as opened:
            batcher = opened.batcher(network_of(mirror(), bounded=False), learned(1.0, max_rows=1))
            blocked = await busy(opened)
            waiting = [ask_mirror(batcher) for _ in range(3)]
            with pytest.raises(TooManyRequests) as refusal:
                ask(batcher, {"x": floats(1, 4)}, later(2))
            assert refusal.value.retry_after_seconds >= 2
            waiting.append(ask_mirror(batcher))
            blocked.cancel()
            await asyncio.gather(*waiting)
            assert sum(rows * runs for rows, runs in batches(opened.registry).items()) == 4
            ask_mirror(batcher)  # with nothing before it, whatever its deadline

    asyncio.run(scenario())


def test_a_request_of_many_rows_does_not_hold_up_the_loop() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(slow(turns=50)), learned(INLINE_SECONDS / 2, max_rows=2))
            future = ask(batcher, {"x": floats(4096, 4)}, later())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not future.done(), "it ran on the loop"
            np.testing.assert_array_equal((await future).outputs[0], floats(4096, 4))

    asyncio.run(scenario())


def test_whoever_leaves_in_the_turn_of_the_answer_keeps_nobody_from_theirs() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror()))

            def submit(done: Done) -> Ticket:
                return batcher.submit({"x": floats(1, 4)}, 1, 16, later(), 5, done)

            leaving = asyncio.ensure_future(answer_of(submit))
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(leaving.cancel)
            staying = [ask_mirror(batcher) for _ in range(3)]
            leaving.cancel()
            await asyncio.gather(*staying)
            with pytest.raises(asyncio.CancelledError):
                await leaving

    asyncio.run(scenario())


def test_an_answer_that_is_not_taken_holds_up_no_other() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror()))

            def fail(result: Result) -> None:
                raise RuntimeError

            batcher.submit({"x": floats(1, 4)}, 1, 16, later(), 5, fail)
            await asyncio.gather(*(ask_mirror(batcher) for _ in range(3)))
            assert batcher.is_idle

    asyncio.run(scenario())


def test_requests_that_are_run_alone_stay_on_the_loop_however_many_wait() -> None:
    async def scenario() -> None:
        async with bench() as opened:
            batcher = opened.batcher(network_of(mirror(), alone=True), learned(INLINE_SECONDS / 4, max_rows=1))
            before = threading.enumerate()
            await asyncio.gather(*(ask_mirror(batcher) for _ in range(32)))
            assert batches(opened.registry) == {1: 32}
            assert not [thread for thread in threading.enumerate() if thread not in before]

    asyncio.run(scenario())
