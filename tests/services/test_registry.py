"""The registry: versions count up, aliases move."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from services import lifecycle, registry
from services.artifacts import StoredFile
from services.errors import Conflict, NotFound
from services.resources import Resources
from services.tables import Job
from tests.generative_models import add_generator, add_shades

RECORD = {
    "task": "classification",
    "architecture": "lenet",
    "hyperparameters": {},
    "dataset_digest": "sha256:1",
    "metrics": {},
    "parity": {},
    "signature": {},
    "labels": ["a"],
}


def register(resources: Resources, task: str = "classification") -> int:
    with resources.database.transaction() as session:
        request = {"model": "m", "dataset": "d"}
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request=request))
        return registry.register(session, job, {**RECORD, "task": task}, StoredFile("0", 1)).number


def test_versions_count_up_and_latest_is_the_last(resources: Resources) -> None:
    assert [register(resources) for _ in range(3)] == [1, 2, 3]
    with resources.database.transaction() as session:
        assert registry.version(session, "m").number == 3
        assert registry.version(session, "m", "2").number == 2


def test_versions_registered_at_once_get_different_numbers(resources: Resources) -> None:
    numbers: list[int] = []
    threads = [threading.Thread(target=lambda: numbers.append(register(resources))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]


def test_an_alias_names_a_version_and_can_be_moved_and_removed(resources: Resources) -> None:
    register(resources)
    register(resources)
    for number in (1, 2):
        with resources.database.transaction() as session:
            registry.set_alias(session, "m", "production", number)
        with resources.database.transaction() as session:
            assert registry.version(session, "m", "production").number == number
    with resources.database.transaction() as session:
        registry.delete_alias(session, "m", "production")
        with pytest.raises(NotFound):
            registry.delete_alias(session, "m", "production")


@pytest.mark.parametrize("version", ["9", "production", "0", "-1", ""])
def test_an_unknown_version_is_not_found(resources: Resources, version: str) -> None:
    register(resources)
    with pytest.raises(NotFound), resources.database.transaction() as session:
        registry.version(session, "m", version)


def test_an_alias_to_nothing_is_refused(resources: Resources) -> None:
    register(resources)
    with pytest.raises(NotFound), resources.database.transaction() as session:
        registry.set_alias(session, "m", "production", 7)


def test_a_model_takes_no_version_for_another_task(resources: Resources) -> None:
    register(resources)
    with pytest.raises(Conflict):
        register(resources, task="regression")


def add_variant(resources: Resources, name: str = "int8") -> None:
    with resources.database.transaction() as session:
        job = lifecycle.create(session, Job(kind="optimize", queue="cpu", request={"model": "m", "version": 1}))
        variant = {"name": name, "file": f"{name}.onnx", "report": {"bytes": {"variant": 5}}}
        registry.add_variants(session, job, [variant], {f"{name}.onnx": StoredFile("8", 5)})


def test_a_version_has_its_variants_and_one_may_be_the_default(resources: Resources) -> None:
    register(resources)
    add_variant(resources)
    add_variant(resources, "fp16")
    with resources.database.transaction() as session:
        assert registry.set_default_variant(session, "m", "latest", "int8").default_variant == "int8"
    with resources.database.transaction() as session:
        version = registry.version(session, "m")
        assert [variant.name for variant in version.variants] == ["fp16", "int8"]
        assert registry.variant(version, "int8").onnx_size == 5
        assert registry.set_default_variant(session, "m", "1", None).default_variant is None
        with pytest.raises(NotFound):
            registry.set_default_variant(session, "m", "1", "optimized")


def test_a_versions_graphs_are_files_of_its_job(resources: Resources) -> None:
    add_shades(resources, "g")
    add_generator(resources, "g")
    with resources.database.snapshot() as session:
        versions = registry.get(session, "g").versions
        found = registry.graphs(session, versions)
        assert {number: list(files) for number, files in found.items()} == {
            1: ["model", "decoder", "encoder"],
            2: ["model", "decoder"],
        }
        assert found[1]["decoder"] == found[2]["decoder"] == registry.graph(session, versions[0], "decoder")
        assert found[1]["model"].sha256 == versions[0].onnx_sha256
        with pytest.raises(NotFound) as failure:
            registry.graph(session, versions[1], "encoder")
        assert failure.value.code == "graph_not_found"


def test_traffic_is_stored_in_shares_and_taken_back(resources: Resources) -> None:
    register(resources)
    register(resources)
    with resources.database.transaction() as session:
        registry.set_traffic(session, "m", {"weights": {"1": 3.0, "2": 1.0}, "shadow": 2})
    with resources.database.transaction() as session:
        assert registry.get(session, "m").traffic == {"weights": {"1": 0.75, "2": 0.25}, "shadow": 2}
        registry.set_traffic(session, "m", None)
    with resources.database.transaction() as session:
        assert registry.get(session, "m").traffic is None


@pytest.mark.parametrize("traffic", [{"weights": {"9": 1.0}, "shadow": None}, {"weights": {"1": 1.0}, "shadow": 9}])
def test_traffic_to_a_version_that_does_not_exist_is_refused(resources: Resources, traffic: dict[str, object]) -> None:
    register(resources)
    with pytest.raises(NotFound), resources.database.transaction() as session:
        registry.set_traffic(session, "m", traffic)


def test_every_change_that_concerns_serving_makes_a_new_revision(resources: Resources) -> None:
    register(resources)
    changes: list[Callable[[Session], object]] = [
        lambda session: registry.set_alias(session, "m", "production", 1),
        lambda session: registry.delete_alias(session, "m", "production"),
        lambda session: registry.set_traffic(session, "m", {"weights": {"1": 1.0}, "shadow": None}),
        lambda session: registry.set_default_variant(session, "m", "1", None),
        lambda session: registry.set_served(session, "m", served=False),
    ]
    for count, change in enumerate(changes, 2):
        with resources.database.transaction() as session:
            change(session)
        with resources.database.transaction() as session:
            assert registry.revision(session, "m") == count


def test_one_new_alias_set_many_times_at_once_is_set(resources: Resources) -> None:
    register(resources)
    failures: list[BaseException] = []

    def point() -> None:
        try:
            with resources.database.transaction() as session:
                registry.set_alias(session, "m", "production", 1)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=point) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
