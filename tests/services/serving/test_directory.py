"""What is remembered of the models in the database, and for how long."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session

from services import lifecycle, registry
from services.artifacts import StoredFile
from services.database import Database
from services.errors import Conflict, NotFound, SyllabusError, Unavailable
from services.resources import Resources
from services.serving import directory as module
from services.serving.directory import FRESH_SECONDS, Directory
from services.tables import Job
from tests.generative_models import add_generator, add_shades

FILES = [f"{number:064x}" for number in range(10)]


def record(**fields: Any) -> dict[str, Any]:
    return {
        "task": "regression",
        "architecture": "mlp",
        "hyperparameters": {},
        "dataset_digest": "sha256:1",
        "metrics": {},
        "parity": {},
        "signature": {"task": "regression"},
        "labels": None,
        **fields,
    }


def register(resources: Resources, name: str = "m", **fields: Any) -> None:
    """Add a version; its file is the one of its number."""
    with resources.database.transaction() as session:
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request={"model": name, "dataset": "d"}))
        added = registry.register(session, job, record(**fields), StoredFile(FILES[0], 1))
        added.onnx_sha256 = FILES[added.number]


def change(resources: Resources, work: Callable[[Session], object]) -> None:
    """Change the registry as another process does: without a word to the directory."""
    with resources.database.transaction() as session:
        work(session)


def add_variants(resources: Resources, *names: str) -> None:
    with resources.database.transaction() as session:
        job = lifecycle.create(session, Job(kind="optimize", queue="cpu", request={"model": "m", "version": 1}))
        variants = [{"name": name, "file": name, "report": {}} for name in names]
        files = {name: StoredFile(FILES[9], 1) for name in names}
        registry.add_variants(session, job, variants, files)


@asynccontextmanager
async def looked(resources: Resources) -> AsyncIterator[Directory]:
    """A directory that has just read the model `m`."""
    directory = Directory(resources.database, resources.artifacts)
    await directory.get("m")
    yield directory


async def seen(directory: Directory, version: int) -> None:
    """Ask like requests that never pause until this version answers."""
    async with asyncio.timeout(30):
        while (await directory.get("m")).resolve().version != version:  # noqa: ASYNC110 - it is the asking that counts
            await asyncio.sleep(0.001)


class Asked:
    """A database that counts how often it is asked, and may be held up or taken away."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.times = 0
        self.open = threading.Event()
        self.open.set()

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """As the database does it."""
        self.times += 1
        assert self.open.wait(30)
        with self.database.snapshot() as session:
            yield session


def watched(resources: Resources) -> tuple[Directory, Asked]:
    asked = Asked(resources.database)
    return Directory(asked, resources.artifacts), asked  # type: ignore[arg-type]


def test_the_newest_version_answers_unless_another_is_named(resources: Resources) -> None:
    register(resources)
    register(resources, trusted=False, bounded=False)
    change(resources, lambda session: registry.set_alias(session, "m", "production", 1))

    async def scenario() -> None:
        async with looked(resources) as directory:
            entry = await directory.get("m")
            newest = entry.resolve()
            assert (newest.name, newest.version, newest.variant, newest.sha256) == ("m", 2, "", FILES[2])
            assert (newest.trusted, newest.bounded) == (False, False)
            assert newest.path == resources.artifacts.path(FILES[2])
            first = entry.resolve("1")
            assert (first.version, first.trusted, first.bounded) == (1, True, True)
            assert entry.resolve("production") is first
            assert entry.resolve("1") is first
            for version in ("3", "0", "staging"):
                with pytest.raises(NotFound) as failure:
                    entry.resolve(version)
                assert failure.value.code == "version_not_found"

    asyncio.run(scenario())


def test_a_variant_is_chosen_by_name_or_by_default(resources: Resources) -> None:
    register(resources)
    add_variants(resources, "int8", "fp16")

    async def scenario() -> None:
        async with looked(resources) as directory:
            entry = await directory.get("m")
            assert entry.resolve().variant == ""
            assert (entry.resolve(variant="int8").variant, entry.resolve(variant="int8").sha256) == ("int8", FILES[9])
            with pytest.raises(NotFound) as failure:
                entry.resolve(variant="optimized")
            assert failure.value.code == "variant_not_found"
            assert "fp16, int8" in failure.value.detail
            change(resources, lambda session: registry.set_default_variant(session, "m", "1", "fp16"))
            directory.forget("m")
            entry = await directory.get("m")
            assert entry.resolve().variant == "fp16"
            assert entry.resolve(variant="").sha256 == FILES[1], "the version's own file"

    asyncio.run(scenario())


def test_a_model_that_does_not_exist_is_not_found_and_found_once_it_does(resources: Resources) -> None:
    async def scenario() -> None:
        directory = Directory(resources.database, resources.artifacts)
        with pytest.raises(NotFound):
            await directory.get("m")
        register(resources)
        assert (await directory.get("m")).resolve().version == 1

    asyncio.run(scenario())


def test_what_is_fresh_is_not_asked_for_again(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 3600)
    monkeypatch.setattr(module, "AHEAD_SECONDS", 3600)
    register(resources)

    async def scenario() -> None:
        directory, asked = watched(resources)
        first = await directory.get("m")
        for _ in range(100):
            assert await directory.get("m") is first
            assert directory.fresh("m") is first
        assert asked.times == 1

    asyncio.run(scenario())


def test_a_change_elsewhere_is_seen_when_what_is_remembered_is_no_longer_fresh(resources: Resources) -> None:
    register(resources)

    async def scenario() -> None:
        async with looked(resources) as directory:
            for number in (2, 3):
                register(resources)
                await asyncio.sleep(FRESH_SECONDS + 0.02)
                assert directory.fresh("m") is None
                assert (await directory.get("m")).resolve().version == number

    asyncio.run(scenario())


def test_under_load_a_change_is_seen_in_the_background(resources: Resources) -> None:
    """Requests that never pause find their answer fresh all the time, and still see the change."""
    register(resources)

    async def scenario() -> None:
        async with looked(resources) as directory:
            register(resources)
            await seen(directory, 2)

    asyncio.run(scenario())


def test_a_model_whose_revision_did_not_change_is_not_read_again(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", -1)
    register(resources)

    async def scenario() -> None:
        directory, asked = watched(resources)
        first = await directory.get("m")
        assert await directory.get("m") is first
        assert asked.times == 2
        waiting = [asyncio.ensure_future(directory.get("m")) for _ in range(50)]
        assert set(await asyncio.gather(*waiting)) == {first}
        assert asked.times == 3, "all who wait share one look"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "work",
    [
        lambda session: registry.set_alias(session, "m", "a", 1),
        lambda session: registry.set_traffic(session, "m", {"weights": {"1": 1.0}, "shadow": None}),
        lambda session: registry.set_served(session, "m", served=False),
    ],
    ids=["alias", "traffic", "unload"],
)
def test_every_change_is_a_new_revision(resources: Resources, work: Callable[[Session], object]) -> None:
    register(resources)

    async def scenario() -> None:
        async with looked(resources) as directory:
            before = await directory.get("m")
            change(resources, work)
            await asyncio.sleep(FRESH_SECONDS + 0.02)
            after = await directory.get("m")
            assert after is not before
            assert after.revision > before.revision

    asyncio.run(scenario())


def test_what_is_forgotten_is_read_at_once(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 3600)
    register(resources)

    async def scenario() -> None:
        async with looked(resources) as directory:
            register(resources)
            await asyncio.to_thread(directory.forget, "m")
            assert (await directory.get("m")).resolve().version == 2

    asyncio.run(scenario())


def test_what_is_forgotten_while_it_is_read_is_read_once_more(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", 3600)
    register(resources)

    async def scenario() -> None:
        directory, asked = watched(resources)
        read = directory._read

        def read_and_change(name: str) -> Any:
            entry = read(name)
            if asked.times == 1:
                register(resources)
                directory.forget("m")
            return entry

        monkeypatch.setattr(directory, "_read", read_and_change)
        assert (await directory.get("m")).resolve().version == 2

    asyncio.run(scenario())


def test_while_the_database_is_away_what_is_remembered_is_served_on(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", -1)
    register(resources)

    async def scenario() -> None:
        directory, asked = watched(resources)
        entry = await directory.get("m")
        nowhere = Database("postgresql://127.0.0.1:1/none")
        there, asked.database = asked.database, nowhere
        for _ in range(3):
            assert await directory.get("m") is entry
        with pytest.raises(Unavailable):
            await directory.get("other")
        with pytest.raises(SyllabusError):
            await directory.names()
        asked.database = there
        register(resources)
        assert (await directory.get("m")).resolve().version == 2
        nowhere.close()

    asyncio.run(scenario())


def test_a_silent_database_holds_up_requests_once_and_not_for_ever(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH_SECONDS", -1)
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    register(resources)

    async def scenario() -> None:
        directory, asked = watched(resources)
        entry = await directory.get("m")
        asked.open.clear()
        assert await directory.get("m") is entry
        again = asyncio.ensure_future(directory.get("m"))
        for _ in range(5):
            await asyncio.sleep(0)
        waits = not again.done()
        asked.open.set()
        assert await again is entry
        assert not waits, "the next request does not wait as well"
        register(resources)
        await seen(directory, 2)

    asyncio.run(scenario())


def test_requests_are_shared_between_versions_by_weight(resources: Resources) -> None:
    for _ in range(3):
        register(resources)
    traffic = {"weights": {"1": 6.0, "2": 3.0, "3": 1.0}, "shadow": None}
    change(resources, lambda session: registry.set_traffic(session, "m", traffic))

    async def scenario() -> None:
        async with looked(resources) as directory:
            entry = await directory.get("m")
            random.seed(0)
            shares = Counter(entry.resolve().version for _ in range(10_000))
            assert [round(shares[number] / 10_000, 1) for number in (1, 2, 3)] == [0.6, 0.3, 0.1]
            assert {entry.resolve("2").version for _ in range(100)} == {2}, "a version that is named answers"

    asyncio.run(scenario())


def test_the_shadow_is_another_version_than_the_one_that_answers(resources: Resources) -> None:
    register(resources)
    register(resources)
    change(resources, lambda session: registry.set_traffic(session, "m", {"weights": {"1": 1.0}, "shadow": 2}))

    async def scenario() -> None:
        async with looked(resources) as directory:
            entry = await directory.get("m")
            shadow = entry.shadow_of(entry.resolve())
            assert shadow is not None
            assert shadow.version == 2
            assert entry.shadow_of(shadow) is None

    asyncio.run(scenario())


def test_each_call_of_a_version_has_its_graph(resources: Resources) -> None:
    version = add_shades(resources, "m")
    add_generator(resources, "m")

    async def scenario() -> None:
        async with looked(resources) as directory:
            entry = await directory.get("m")
            calls = ("infer", "predict", "reconstruct", "anomaly", "encode", "generate", "decode", "interpolate")
            found = [entry.resolve("1", None, call) for call in calls]
            assert [model.graph for model in found] == ["model"] * 4 + ["encoder"] + ["decoder"] * 3
            assert found[0].sha256 == version.onnx_sha256
            assert len({model.key for model in found}) == 3
            assert [model.repeats for model in found] == [False] * 5 + [True] * 3
            assert entry.resolve("2").graph == "model"
            for call in ("encode", "predict"):
                with pytest.raises(Conflict) as failure:
                    entry.resolve("2", None, call)
                assert failure.value.code == "call_unsupported"

    asyncio.run(scenario())


def test_an_unloaded_model_is_unavailable_until_it_is_loaded(resources: Resources) -> None:
    register(resources)
    change(resources, lambda session: registry.set_served(session, "m", served=False))

    async def scenario() -> None:
        async with looked(resources) as directory:
            with pytest.raises(Unavailable) as failure:
                (await directory.get("m")).resolve()
            assert failure.value.code == "model_unloaded"
            change(resources, lambda session: registry.set_served(session, "m", served=True))
            directory.forget("m")
            assert (await directory.get("m")).resolve().version == 1

    asyncio.run(scenario())


def test_what_is_remembered_is_bounded(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    for number in range(5):
        register(resources, f"m{number}")

    async def scenario() -> None:
        directory = Directory(resources.database, resources.artifacts)
        assert await directory.names() == [f"m{number}" for number in range(5)]
        for name in await directory.names():
            await directory.get(name)
        assert [directory.fresh(f"m{number}") is None for number in range(5)] == [True, True, False, False, False]

    asyncio.run(scenario())
