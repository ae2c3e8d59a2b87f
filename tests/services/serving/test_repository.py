"""Which models are served, over both databases."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import pytest
from prometheus_client import CollectorRegistry

from services import registry
from services.errors import NotFound, Unavailable
from services.resources import Resources
from services.serving.engine import deadline_after
from services.serving.metrics import ServingMetrics
from services.serving.predictions import Predictor, Wish
from services.serving.repository import Repository
from services.tables import ModelVersion
from tests.api.conftest import add_version
from tests.protocol_models import MODELS
from tests.services.serving.engines import settled

WISH = Wish(deadline_after(3600))


@pytest.fixture
def model(resources: Resources) -> ModelVersion:
    """The model `sum`, with one version."""
    return add_version(resources, "sum", MODELS["sum"].onnx, MODELS["sum"].signature)


def run(resources: Resources, test: Callable[[Repository, Predictor], Awaitable[None]]) -> None:
    """Run a test on an event loop, as a gateway does."""

    async def main() -> None:
        predictor = Predictor.open(resources, ServingMetrics(CollectorRegistry()))
        try:
            await test(Repository(resources.database, predictor), predictor)
        finally:
            predictor.close()

    asyncio.run(main())


def is_served(resources: Resources) -> bool:
    with resources.database.snapshot() as session:
        return registry.get(session, "sum").served


async def states(repository: Repository) -> list[tuple[str, str]]:
    return [(each["version"], each["state"]) for each in await repository.index(only_ready=False)]


def test_unloading_is_remembered_and_frees_the_memory(resources: Resources, model: ModelVersion) -> None:
    async def test(repository: Repository, predictor: Predictor) -> None:
        _, served, _ = await predictor.find("sum", WISH)
        assert await repository.served_versions() == [("sum", "1")]
        await repository.unload("sum")
        assert predictor.engine.find(served) is None
        assert await repository.served_versions() == []
        assert await states(repository) == [("1", "UNAVAILABLE")]
        assert await repository.index(only_ready=True) == []
        with pytest.raises(Unavailable, match="unloaded"):
            await predictor.find("sum", WISH)

    run(resources, test)
    assert not is_served(resources)


def test_loading_serves_and_warms(resources: Resources, model: ModelVersion) -> None:
    async def test(repository: Repository, predictor: Predictor) -> None:
        await repository.unload("sum")
        await repository.load("sum")
        served = (await predictor.directory.get("sum")).resolve()
        assert predictor.engine.find(served) is not None

    run(resources, test)
    assert is_served(resources)


def test_loading_warms_every_version_that_has_a_share_of_the_traffic(resources: Resources, model: ModelVersion) -> None:
    for _ in range(2):
        add_version(resources, "sum", MODELS["sum"].onnx, MODELS["sum"].signature)
    with resources.database.transaction() as session:
        registry.set_traffic(session, "sum", {"weights": {"1": 0.5, "3": 0.5}, "shadow": None})

    async def test(repository: Repository, predictor: Predictor) -> None:
        await repository.load("sum")
        entry = await predictor.directory.get("sum")
        loaded = [number for number in (1, 2, 3) if predictor.engine.find(entry.resolve(str(number))) is not None]
        assert loaded == [1, 3]

    run(resources, test)


@pytest.mark.parametrize("was_served", [True, False])
def test_a_model_that_does_not_load_is_served_only_if_it_was(
    resources: Resources, model: ModelVersion, was_served: bool
) -> None:
    resources.artifacts.path(model.onnx_sha256).unlink()
    with resources.database.transaction() as session:
        registry.set_served(session, "sum", served=was_served)

    async def test(repository: Repository, predictor: Predictor) -> None:
        with pytest.raises(Unavailable, match="not in the artifact store"):
            await repository.load("sum")
        (entry,) = await repository.index(only_ready=False)
        assert entry["state"] == "UNAVAILABLE"
        assert ("artifact store" in entry["reason"]) == was_served

    run(resources, test)
    assert is_served(resources) == was_served


def test_a_model_on_its_way_into_memory_is_loading(resources: Resources, model: ModelVersion) -> None:
    # A pipe for the file: reading it takes as long as the test wants.
    path = resources.artifacts.path(model.onnx_sha256)
    path.unlink()
    os.mkfifo(path)

    async def test(repository: Repository, predictor: Predictor) -> None:
        served = (await predictor.directory.get("sum")).resolve()
        load = asyncio.create_task(repository.load("sum"))
        await settled(lambda: predictor.engine.is_loading(served), "the model's load")
        assert await states(repository) == [("1", "LOADING")]
        await asyncio.to_thread(path.write_bytes, MODELS["sum"].onnx)
        await load

    run(resources, test)


def test_an_unknown_model_is_not_found(resources: Resources) -> None:
    async def test(repository: Repository, _: Predictor) -> None:
        for change in (repository.load, repository.unload):
            with pytest.raises(NotFound):
                await change("nope")

    run(resources, test)
