"""The engine: what is in memory, and requests batched for it."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.errors import DeadlineExceeded, Invalid, TooManyRequests, Unavailable
from services.serving import engine as engine_module
from services.serving import loading
from services.serving.engine import MAX_SHAPES, Engine
from services.serving.model import ServedModel
from services.serving.network import Network
from services.serving.service_times import ServiceTimes
from tests.services.serving.engines import answered, batches, engine, floats, later, served, settled
from tests.serving_models import endless_below_zero, lookup, mirror, slow, tensors_signature

FOREVER = {"x": np.full((1, 2), -1, np.float32)}


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the models that are loaded, as they are loaded."""
    names: list[str] = []
    load = loading.load

    def noted(model: ServedModel, *arguments: object) -> tuple[Network, ServiceTimes]:
        names.append(model.name)
        return load(model, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "load", noted)
    return names


def mirrors(directory: Path, *names: str) -> list[ServedModel]:
    """The same graph under several names."""
    return [served(directory, mirror(), name=name) for name in names]


def test_answers_are_those_of_the_runtime_however_they_were_batched(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            model = served(tmp_path, mirror())
            loaded = await opened.load(model)

            async def client(number: int) -> None:
                for seed in range(number, 40_000, 1000):
                    feeds = {"x": floats(1 + seed % 3, 4, seed=seed)}
                    answer = await answered(opened, model, feeds)
                    for ours, theirs in zip(answer.outputs, loaded.network.session.run(None, feeds), strict=True):
                        np.testing.assert_allclose(ours, theirs, atol=1e-6)

            await asyncio.gather(*(client(number) for number in range(100)))

    asyncio.run(scenario())


def test_models_and_shapes_are_never_mixed(tmp_path: Path) -> None:
    async def scenario() -> None:
        registry = CollectorRegistry()
        async with engine(registry) as opened:
            models = [served(tmp_path, mirror("L"), name=name) for name in "ab"]
            wishes = [(model, {"x": floats(1, length, seed=length)}) for length in (3, 5, 9) for model in models] * 5
            for wish in wishes:
                await opened.load(wish[0])
            answers = await asyncio.gather(*(answered(opened, *wish) for wish in wishes))
            for (_, feeds), answer in zip(wishes, answers, strict=True):
                np.testing.assert_array_equal(answer.outputs[0], feeds["x"][:, ::-1])
            for name in "ab":
                counted = batches(registry, name)
                assert sum(rows * runs for rows, runs in counted.items()) == 15
                assert max(counted) <= 5

    asyncio.run(scenario())


def test_many_requests_wait_for_one_load(tmp_path: Path, loads: list[str]) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            (model,) = mirrors(tmp_path, "m")
            found = await asyncio.gather(*(opened.load(model) for _ in range(64)))
            assert len({id(loaded) for loaded in found}) == 1
            assert opened.find(model) is found[0]
            assert not opened.is_loading(model)
            model.path.unlink()
            assert await opened.load(model) is found[0]

    asyncio.run(scenario())
    assert loads == ["m"]


def test_who_leaves_does_not_end_the_load_for_the_others(tmp_path: Path, loads: list[str]) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            (model,) = mirrors(tmp_path, "m")
            first = asyncio.ensure_future(opened.load(model))
            await asyncio.sleep(0)
            assert opened.is_loading(model)
            second = asyncio.ensure_future(opened.load(model))
            await asyncio.sleep(0)
            first.cancel()
            await second
            assert opened.find(model) is not None

    asyncio.run(scenario())
    assert loads == ["m"]


def test_a_broken_file_fails_only_its_own_load_and_is_tried_again_later(
    tmp_path: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            good = served(tmp_path, mirror(), name="good")
            bad = replace(served(tmp_path, lookup(), name="bad"), path=tmp_path / "none")
            kept = await opened.load(good)
            monkeypatch.setattr(engine_module, "FAILED_LOAD_SECONDS", 0.2)
            for _ in range(2):
                failures = await asyncio.gather(*(opened.load(bad) for _ in range(8)), return_exceptions=True)
                assert {getattr(failure, "code", None) for failure in failures} == {"model_file_missing"}
            assert loads.count("bad") == 1
            assert opened.find(good) is kept
            served(tmp_path, lookup(), name="bad").path.rename(bad.path)
            await asyncio.sleep(0.3)
            answer = await answered(opened, bad, {"x": np.array([3])})
            assert answer.outputs[0].tolist() == [9.0]

    asyncio.run(scenario())
    assert loads.count("bad") == 2


def test_what_is_unloaded_while_it_is_loaded_is_not_kept(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            (model,) = mirrors(tmp_path, "a")
            load = asyncio.ensure_future(opened.load(model))
            await asyncio.sleep(0)
            assert opened.is_loading(model)
            opened.unload("a")
            loaded = await load
            assert opened.find(model) is None
            answer = await opened.run(loaded, {"x": floats(1, 4)}, 1, deadline=later())
            np.testing.assert_array_equal(answer.outputs[0], floats(1, 4)[:, ::-1])
            assert await opened.load(model) is not loaded

    asyncio.run(scenario())


def test_texts_count_with_their_lengths(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine(queue_bytes=10_000) as opened:
            loaded = await opened.load(mirrors(tmp_path, "a")[0])
            tickets = [opened.submit(loaded, {"x": np.array([["t" * 4000]], object)}, 1, print, later(), 5)]
            assert opened.queued_bytes > 4000
            for ticket in tickets:
                ticket.leave()

    asyncio.run(scenario())


def test_what_was_used_least_recently_makes_room(tmp_path: Path) -> None:
    async def scenario() -> None:
        one = 2 * len(mirror())
        async with engine(model_bytes=2 * one) as opened:
            a, b, c = mirrors(tmp_path, "a", "b", "c")
            first = await opened.load(a)
            await opened.load(b)
            await opened.load(a)
            await opened.load(c)
            assert opened.find(a) is first
            assert opened.find(b) is None
            assert opened.find(c) is not None

    asyncio.run(scenario())


def test_the_newest_stays_even_if_it_alone_is_too_large(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine(model_bytes=1) as opened:
            for model in mirrors(tmp_path, "a", "b", "c"):
                await answered(opened, model, {"x": floats(1, 4)})
                assert opened.find(model) is not None
            assert [opened.find(model) is None for model in mirrors(tmp_path, "a", "b", "c")] == [True, True, False]

    asyncio.run(scenario())


def test_a_busy_model_is_not_let_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine(model_bytes=1) as opened:
            busy = served(tmp_path, endless_below_zero(), name="busy", bounded=False)
            loaded = await opened.load(busy)
            run = asyncio.ensure_future(opened.run(loaded, FOREVER, 1, deadline=later()))
            await settled(lambda: not loaded.is_idle, "the beginning of the run")
            a, b = mirrors(tmp_path, "a", "b")
            await opened.load(a)
            await opened.load(b)
            assert opened.find(busy) is loaded
            assert opened.find(a) is None
            run.cancel()
            await settled(lambda: loaded.is_idle, "the end of the run")
            await opened.load(a)
            assert opened.find(busy) is None

    asyncio.run(scenario())


def test_all_versions_of_a_model_are_unloaded_and_what_runs_comes_to_its_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            versions = [served(tmp_path, slow(turns=4000), name="m", version=number) for number in (1, 2)]
            other = served(tmp_path, mirror(), name="other")
            loaded = [await opened.load(model) for model in (*versions, other)]
            run = asyncio.ensure_future(opened.run(loaded[0], {"x": floats(1, 4)}, 1, deadline=later()))
            await asyncio.sleep(0)
            assert not loaded[0].is_idle
            opened.unload("m")
            assert [opened.find(model) is None for model in (*versions, other)] == [True, True, False]
            np.testing.assert_array_equal((await run).outputs[0], floats(1, 4))

    asyncio.run(scenario())


def test_what_waits_takes_bounded_memory(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine(cores=1, queue_bytes=1000) as opened:
            model = served(tmp_path, endless_below_zero(), bounded=False)
            loaded = await opened.load(model)
            blocked = asyncio.ensure_future(opened.run(loaded, FOREVER, 1, deadline=later()))
            await settled(lambda: not loaded.is_idle, "the beginning of the run")
            half = {"x": np.ones((60, 2), np.float32)}
            first, second = (asyncio.ensure_future(opened.run(loaded, half, 60, deadline=later())) for _ in range(2))
            await asyncio.sleep(0)
            with pytest.raises(TooManyRequests) as refusal:
                await opened.run(loaded, half, 60, deadline=later())
            assert refusal.value.code == "queue_full"
            assert refusal.value.retry_after_seconds >= 1
            first.cancel()
            await asyncio.sleep(0)
            third = asyncio.ensure_future(opened.run(loaded, half, 60, deadline=later()))
            blocked.cancel()
            for run in (second, third):
                assert (await run).outputs[0].shape == (60, 2)
            large = {"x": np.ones((600, 2), np.float32)}
            assert (await opened.run(loaded, large, 600, deadline=later())).outputs[0].shape == (600, 2)
            await settled(lambda: opened.num_rows == 0, "the end of the queue")
            assert opened.queued_bytes == 0

    asyncio.run(scenario())


def test_deadlines_and_failures_reach_their_callers(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            hanging = served(tmp_path, endless_below_zero(), name="hanging", bounded=False)
            with pytest.raises(DeadlineExceeded):
                await answered(opened, hanging, FOREVER, seconds=0.2)
            with pytest.raises(Invalid):
                await answered(opened, served(tmp_path, lookup(), name="table"), {"x": np.array([11])})
            with pytest.raises(DeadlineExceeded):
                await answered(opened, served(tmp_path, mirror()), {"x": floats(1, 4)}, seconds=-1)
            loaded = opened.find(hanging)
            assert loaded is not None
            await settled(lambda: loaded.is_idle, "the end of the endless run")

    asyncio.run(scenario())


def test_inputs_without_elements_are_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            for shape in ((1, 0), (0, 3)):
                with pytest.raises(Invalid) as refusal:
                    await answered(opened, served(tmp_path, mirror("L")), {"x": floats(*shape)})
                assert refusal.value.code == "input_empty"

    asyncio.run(scenario())


def test_an_endless_run_leaves_the_loop_to_the_others(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine(cores=1) as opened:
            hanging = await opened.load(served(tmp_path, endless_below_zero(), name="hanging", bounded=False))
            quick = served(tmp_path, mirror(), name="quick")
            await opened.load(quick)
            run = asyncio.ensure_future(opened.run(hanging, FOREVER, 1, deadline=later()))
            await settled(lambda: not hanging.is_idle, "the beginning of the run")
            for seed in range(100):
                await answered(opened, quick, {"x": floats(1, 4, seed=seed)})
            assert not run.done()
            run.cancel()

    asyncio.run(scenario())


def test_shapes_that_were_used_least_recently_are_forgotten(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine() as opened:
            model = served(tmp_path, mirror("L"))
            for length in range(1, MAX_SHAPES + 60):
                answer = await answered(opened, model, {"x": floats(1, length)})
                np.testing.assert_array_equal(answer.outputs[0], floats(1, length)[:, ::-1])
            loaded = opened.find(model)
            assert loaded is not None
            assert len(loaded._batchers) <= MAX_SHAPES
            assert loaded.is_idle

    asyncio.run(scenario())


def test_a_graph_of_fixed_size_runs_its_requests_one_by_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        registry = CollectorRegistry()
        async with engine(registry) as opened:
            model = served(tmp_path, mirror(), tensors_signature(batchable=False))
            await opened.load(model)
            await asyncio.gather(*(answered(opened, model, {"x": floats(2, 4, seed=seed)}) for seed in range(7)))
            assert sum(batches(registry).values()) == 7

    asyncio.run(scenario())


def test_loads_do_not_hold_up_what_else_waits_for_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory asks the database on the threads that `asyncio.to_thread` gives."""
    hold = threading.Event()

    def held(*_: object) -> tuple[Network, ServiceTimes]:
        hold.wait(60)
        raise Unavailable("model_file_missing", "gone")

    monkeypatch.setattr(loading, "load", held)

    async def scenario() -> None:
        async with engine() as opened:
            names = [f"m{number}" for number in range(64)]
            loads = [asyncio.ensure_future(opened.load(model)) for model in mirrors(tmp_path, *names)]
            try:
                async with asyncio.timeout(10):
                    await asyncio.sleep(0.05)
                    assert await asyncio.to_thread(lambda: 7) == 7
            finally:
                hold.set()
            failures = await asyncio.gather(*loads, return_exceptions=True)
            assert all(isinstance(failure, Unavailable) for failure in failures)

    asyncio.run(scenario())


def test_an_engine_closes_while_it_is_busy(tmp_path: Path) -> None:
    async def scenario() -> Engine:
        async with engine() as opened:
            loaded = await opened.load(served(tmp_path, endless_below_zero(), bounded=False))
            for _ in range(5):
                asyncio.ensure_future(opened.run(loaded, FOREVER, 1, deadline=later())).add_done_callback(
                    lambda run: run.cancelled() or run.exception()
                )
            await settled(lambda: not loaded.is_idle, "the beginning of the runs")
        return opened

    asyncio.run(scenario())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("runner")]
