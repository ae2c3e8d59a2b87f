"""Shadow versions: compared, never answered, never in the way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.serving import shadow as module
from services.serving.engine import Engine
from services.serving.model import ServedModel
from services.serving.network import Outputs
from services.serving.shadow import Shadow
from tests.hostile_models import two_inputs_of_text_and_numbers
from tests.services.serving.engines import Tensors, answered, count, engine, floats, later, served, settled
from tests.serving_models import endless_below_zero, image_classifier, image_signature, lookup, mirror

FOREVER = {"x": np.full((1, 2), -1, np.float32)}
RESULTS = ("agrees", "differs", "failed", "dropped")


def compared(registry: CollectorRegistry) -> dict[str, int]:
    """How many comparisons came to which result, of those that did."""
    counts = {result: int(count(registry, "syllabus_model_shadow_total", result=result)) for result in RESULTS}
    return {result: times for result, times in counts.items() if times}


@asynccontextmanager
async def shadowing() -> AsyncIterator[tuple[Engine, Shadow, CollectorRegistry]]:
    registry = CollectorRegistry()
    async with engine(registry) as opened:
        yield opened, Shadow(opened), registry


def comparison(
    model: ServedModel, other: ServedModel, feeds: Tensors, outputs: Outputs | None = None
) -> dict[str, int]:
    """What comes of comparing one answer (that of `model`, unless it is given)."""

    async def scenario() -> dict[str, int]:
        async with shadowing() as (opened, shadow, registry):
            answer = outputs if outputs is not None else (await answered(opened, model, feeds)).outputs
            shadow.compare(model, other, feeds, len(next(iter(feeds.values()))), answer)
            await settled(lambda: compared(registry), "a result of the comparison")
            return compared(registry)

    return asyncio.run(scenario())


def test_versions_that_answer_the_same_agree(tmp_path: Path) -> None:
    model = served(tmp_path, mirror())
    assert comparison(model, replace(model, version=2), {"x": floats(3, 4)}) == {"agrees": 1}


def test_versions_that_answer_otherwise_differ(tmp_path: Path) -> None:
    model, other = served(tmp_path, lookup()), served(tmp_path, lookup(offset=1), version=2)
    assert comparison(model, other, {"x": np.array([3])}) == {"differs": 1}


def test_classes_are_compared_and_not_their_probabilities(tmp_path: Path) -> None:
    model = served(tmp_path, image_classifier(), image_signature())
    feeds = {"image": np.full((2, 1, 2, 2), 250, np.uint8)}
    surer = [np.array([[0.1, 0.2, 0.7]] * 2, np.float32)]
    assert comparison(model, replace(model, version=2), feeds, surer) == {"agrees": 1}
    other = [np.array([[0.1, 0.2, 0.7], [0.7, 0.2, 0.1]], np.float32)]
    assert comparison(model, replace(model, version=2), feeds, other) == {"differs": 1}


@pytest.mark.parametrize("off", [1e-5, 1e-2])
def test_numbers_may_differ_a_little(tmp_path: Path, off: float) -> None:
    model = served(tmp_path, lookup())
    result = comparison(model, replace(model, version=2), {"x": np.array([2])}, [np.array([4 + off], np.float32)])
    assert result == {"agrees" if off < 1e-3 else "differs": 1}


OTHER_INPUTS = two_inputs_of_text_and_numbers().SerializeToString()


@pytest.mark.parametrize(
    "graph", [None, b"no graph", lookup(offset=50), mirror(), mirror("L"), image_classifier(), OTHER_INPUTS]
)
def test_a_shadow_that_cannot_answer_has_failed(tmp_path: Path, graph: bytes | None) -> None:
    """Its file is missing or broken, or it wants other inputs."""
    model = served(tmp_path, lookup())
    other = replace(model, version=2, path=tmp_path / "none") if graph is None else served(tmp_path, graph, version=2)
    assert comparison(model, other, {"x": np.array([3])}) == {"failed": 1}


def test_a_hanging_shadow_has_failed_and_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.3)
    monkeypatch.setattr(module, "MAX_COMPARISONS", 4)

    async def scenario() -> None:
        async with shadowing() as (opened, shadow, registry):
            model = served(tmp_path, endless_below_zero(), bounded=False)
            hanging = replace(model, version=2)
            await opened.load(hanging)
            for _ in range(6):
                shadow.compare(model, hanging, FOREVER, 1, [FOREVER["x"]])
            assert compared(registry) == {"dropped": 2}
            quick = served(tmp_path, mirror(), name="quick")
            for seed in range(50):
                await answered(opened, quick, {"x": floats(1, 4, seed=seed)})
            await settled(lambda: compared(registry).get("failed") == 4, "the end of the hanging shadows")
            shadow.compare(model, hanging, FOREVER, 1, [FOREVER["x"]])
            assert compared(registry) == {"dropped": 2, "failed": 4}, "there is room again"

    asyncio.run(scenario())


def test_what_is_answered_goes_before_what_is_only_compared(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with engine(cores=1) as opened:
            shadow = Shadow(opened)
            model = served(tmp_path, endless_below_zero(), bounded=False)
            loaded = await opened.load(model)
            blocked = asyncio.ensure_future(opened.run(loaded, FOREVER, 1, deadline=later()))
            await settled(lambda: not loaded.is_idle, "the beginning of a run")
            fine = {"x": np.ones((40, 2), np.float32)}
            for _ in range(3):
                shadow.compare(replace(model, version=9), model, fine, 40, [fine["x"]])
            await asyncio.sleep(0)
            order: list[str] = []
            run = asyncio.ensure_future(opened.run(loaded, fine, 40, deadline=later()))
            run.add_done_callback(lambda _: order.append("answer"))
            for comparison in shadow._tasks:
                comparison.add_done_callback(lambda _: order.append("comparison"))
            blocked.cancel()
            await settled(lambda: len(order) == 4, "the end of all runs")
            assert order == ["answer"] + ["comparison"] * 3

    asyncio.run(scenario())
