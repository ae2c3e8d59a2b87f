"""Predictions without a transport. What a wrong input is told: tests/api/routes/test_predictions.py."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image, PngImagePlugin
from prometheus_client import CollectorRegistry

from services import migrations, registry
from services.database import Database
from services.errors import DeadlineExceeded, Invalid, NotFound, TooLarge, UnsupportedMediaType
from services.resources import Resources
from services.serving import given, loading
from services.serving.answers import Naming
from services.serving.engine import deadline_after
from services.serving.inputs import MAX_BATCH
from services.serving.metrics import ServingMetrics
from services.serving.model import ServedModel
from services.serving.network import Network
from services.serving.predictions import Predictor, Wish
from services.serving.service_times import ServiceTimes
from services.settings import Settings
from tests.api.conftest import add_version
from tests.services.serving.engines import count, settled
from tests.serving_models import (
    addition,
    image_classifier,
    image_signature,
    mirror,
    tabular_regressor,
    tabular_signature,
    tensors_signature,
)

SUMS = tensors_signature(("a", "b"))


@pytest.fixture
def resources(tmp_path: Path, broker_url: str) -> Resources:
    """SQLite alone: what the directory reads is tested on both databases."""
    settings = Settings(home=tmp_path, broker_url=broker_url)
    database = Database(settings.database)
    migrations.upgrade(database)
    database.close()
    opened = Resources.open(settings)
    add_version(opened, "shades", image_classifier(), image_signature())
    add_version(opened, "prices", tabular_regressor(), tabular_signature())
    add_version(opened, "mirror", mirror(), tensors_signature(outputs=("y", "total")), trusted=False)
    add_version(opened, "sums", addition(), SUMS, trusted=False)
    return opened


@asynccontextmanager
async def predicting(resources: Resources) -> AsyncIterator[tuple[Predictor, CollectorRegistry]]:
    counted = CollectorRegistry()
    predictor = Predictor.open(resources, ServingMetrics(counted))
    try:
        yield predictor, counted
    finally:
        await asyncio.to_thread(predictor.close)
        resources.close()


def wish(seconds: float = 20, **fields: Any) -> Wish:
    return Wish(deadline_after(seconds), **fields)


def tried(resources: Resources, work: Callable[[Predictor], Coroutine[Any, Any, Any]]) -> Any:
    """What a predictor makes of something."""

    async def scenario() -> Any:
        async with predicting(resources) as (predictor, _):
            return await work(predictor)

    return asyncio.run(scenario())


def png(shade: int, size: int = 8, texts: int = 0) -> bytes:
    info = PngImagePlugin.PngInfo()
    for number in range(texts):
        info.add_text(f"k{number}", "a" * 900_000, zip=True)
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size), shade, np.uint8)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def test_classes_are_ranked_by_probability(resources: Resources) -> None:
    dark, bright = [[[[0, 0], [0, 0]]], [[[255] * 2] * 2]]
    predictions = tried(resources, lambda each: each.predict("shades", wish(), given.values([dark, bright]), Naming(9)))
    assert [item["label"] for item in predictions.items] == ["dark", "bright"]
    ranking = predictions.items[0]["top_k"]
    assert [entry["label"] for entry in ranking] == ["dark", "middle", "bright"]
    assert sum(entry["probability"] for entry in ranking) == pytest.approx(1)
    assert (predictions.model.name, predictions.model.version) == ("shades", 1)


def test_equal_probabilities_come_in_the_order_of_the_classes(resources: Resources) -> None:
    pixels = [[[[64, 64], [64, 64]]]]
    (item,) = tried(resources, lambda each: each.predict("shades", wish(), given.values(pixels), Naming(2))).items
    assert [entry["label"] for entry in item["top_k"]] == ["dark", "middle"]


def test_values_come_in_the_targets_unit(resources: Resources) -> None:
    rows = [[1.5, "berlin"]] * 3
    assert (
        tried(resources, lambda each: each.predict("prices", wish(), given.values(rows))).items == [{"value": 13.0}] * 3
    )


def test_tensors_of_a_users_graph_come_by_name(resources: Resources) -> None:
    (item,) = tried(resources, lambda each: each.predict("mirror", wish(), given.values([[1, 2, 3, 4.5]]))).items
    assert item == {"outputs": {"y": [4.5, 3.0, 2.0, 1.0], "total": 10.5}}
    rows = [{"a": [1, 2], "b": [3, 4]}]
    assert tried(resources, lambda each: each.predict("sums", wish(), given.values(rows))).items == [
        {"outputs": {"y": [4.0, 6.0]}}
    ]


@pytest.mark.parametrize("name", ["prices", "mirror"])
def test_a_model_of_rows_takes_no_files(resources: Resources, name: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        tried(resources, lambda each: each.predict(name, wish(), given.files([b"x"])))


def test_a_batch_is_bounded(resources: Resources) -> None:
    rows = [[1, None]] * MAX_BATCH
    assert len(tried(resources, lambda each: each.predict("prices", wish(), given.values(rows))).items) == MAX_BATCH
    with pytest.raises(TooLarge):
        tried(resources, lambda each: each.predict("prices", wish(), given.values([*rows, [1, None]])))


@pytest.mark.parametrize("size", [8, 400], ids=["on the loop", "on a thread"])
def test_files_are_answered_in_their_order(resources: Resources, size: int) -> None:
    files = [png(shade, size) for shade in (250, 3, 120, 0, 255)]
    items = tried(resources, lambda each: each.predict("shades", wish(), given.files(files))).items
    assert [item["label"] for item in items] == ["bright", "dark", "middle", "dark", "bright"]


def infer_body(**tensors: np.ndarray) -> bytes:
    inputs = [
        {"name": name, "shape": list(array.shape), "datatype": "FP32", "data": array.ravel().tolist()}
        for name, array in tensors.items()
    ]
    return orjson.dumps({"inputs": inputs})


def test_inputs_of_one_request_need_as_many_rows(resources: Resources) -> None:
    """ONNX would stretch the single row; in a batch, the rows of two such requests would be mixed."""

    async def work(predictor: Predictor) -> None:
        one, two = np.ones((1, 2), np.float32), np.full((2, 2), 5, np.float32)
        bodies = [infer_body(a=one, b=two), infer_body(a=two, b=one)]
        requests = (predictor.infer("sums", wish(), body, None) for body in bodies)
        for failure in await asyncio.gather(*requests, return_exceptions=True):
            assert isinstance(failure, Invalid)
            assert failure.code == "rows_differ"
        made = await predictor.infer("sums", wish(), infer_body(a=two, b=two), None)
        assert orjson.loads(made.body)["outputs"][0]["data"] == [10.0] * 4

    tried(resources, work)


def test_a_deadline_holds_while_the_model_is_loaded(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    hold, load = threading.Event(), loading.load

    def held(*arguments: Any) -> tuple[Network, ServiceTimes]:
        hold.wait(60)
        return load(*arguments)

    monkeypatch.setattr(loading, "load", held)

    async def work(predictor: Predictor) -> None:
        with pytest.raises(DeadlineExceeded):
            await predictor.predict("prices", wish(0.05), given.values([[1, None]]))
        hold.set()
        assert (await predictor.predict("prices", wish(), given.values([[1, None]]))).items == [{"value": 2.0}]

    tried(resources, work)


def test_a_deadline_holds_while_others_are_decoded(resources: Resources) -> None:
    async def work(predictor: Predictor) -> None:
        hold = threading.Event()
        (await predictor.find("shades", wish()))
        for _ in range(64):
            predictor.side._pool.submit(hold.wait, 60)
        with pytest.raises(DeadlineExceeded):
            await predictor.predict("shades", wish(0.05), given.files([png(0, 400)]))
        _, _, loaded = await predictor.find("shades", wish())
        assert loaded.is_idle, "and nothing counts as expected any more"
        hold.set()
        (item,) = (await predictor.predict("shades", wish(), given.files([png(0, 400)]))).items
        assert item["label"] == "dark"

    tried(resources, work)


def test_many_files_with_long_headers_do_not_hold_up_the_loop(resources: Resources) -> None:
    """A PNG may carry compressed texts before its pixels: a thousand of these are seconds of unpacking."""

    async def work(predictor: Predictor) -> None:
        await predictor.find("shades", wish())
        request = asyncio.ensure_future(predictor.predict("shades", wish(), given.files([png(0, texts=4)] * 8)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not request.done()
        assert threading.active_count() > 1
        assert len((await request).items) == 8

    tried(resources, work)


def test_who_leaves_is_not_answered_and_costs_nothing_more(resources: Resources) -> None:
    async def scenario() -> None:
        async with predicting(resources) as (predictor, counted):
            await predictor.find("shades", wish())
            hold = threading.Event()
            for _ in range(64):
                predictor.side._pool.submit(hold.wait, 60)
            left = asyncio.ensure_future(predictor.predict("shades", wish(), given.files([png(0, 400)])))
            await asyncio.sleep(0.01)
            left.cancel()
            with pytest.raises(asyncio.CancelledError):
                await left
            hold.set()
            await predictor.predict("shades", wish(), given.files([png(0, 400)]))
            assert count(counted, "syllabus_model_batches_total") == 1

    asyncio.run(scenario())


def test_a_shadow_is_asked_beside_the_version_that_answers(resources: Resources) -> None:
    add_version(resources, "prices", tabular_regressor(), tabular_signature())
    with resources.database.transaction() as session:
        registry.set_traffic(session, "prices", {"weights": {"1": 1.0}, "shadow": 2})

    async def scenario() -> None:
        async with predicting(resources) as (predictor, counted):
            made = await predictor.predict("prices", wish(), given.values([[1, None]]))
            assert made.model.version == 1
            await settled(lambda: count(counted, "syllabus_model_shadow_total", result="agrees") == 1, "the comparison")

    asyncio.run(scenario())


def test_models_are_loaded_ahead_and_one_that_does_not_load_is_only_logged(resources: Resources) -> None:
    with resources.database.snapshot() as session:
        broken = registry.version(session, "sums").onnx_sha256
    resources.artifacts.path(broken).write_bytes(b"altered")

    def loaded(predictor: Predictor) -> set[str]:
        return {key[0] for key in predictor.engine._loaded}

    async def work(predictor: Predictor) -> None:
        await predictor.preload("")
        assert loaded(predictor) == set()
        await predictor.preload("prices, nope,,mirror")
        assert loaded(predictor) == {"prices", "mirror"}
        await predictor.preload("*")
        assert loaded(predictor) == {"prices", "mirror", "shades"}

    tried(resources, work)


def test_a_gateway_starts_while_the_database_is_away(resources: Resources) -> None:
    async def work(predictor: Predictor) -> None:
        predictor.directory._database = Database("postgresql://127.0.0.1:1/none")
        await predictor.preload("prices")
        await predictor.preload("*")

    tried(resources, work)


def test_what_a_target_names_is_known_without_asking(resources: Resources) -> None:
    async def work(predictor: Predictor) -> None:
        assert predictor.known("prices", "latest", None) is None
        with pytest.raises(NotFound):
            await predictor.find("prices", wish(version="7"))
        known = predictor.known("prices", "latest", None)
        assert isinstance(known, ServedModel)
        assert known.version == 1
        assert predictor.known("prices", "7", None) is None
        assert predictor.known("prices", "1", "int8") is None

    tried(resources, work)
