"""The registry: versions count up, aliases move."""

import threading

import pytest

from services import lifecycle, registry
from services.artifacts import StoredFile
from services.errors import Conflict, NotFound
from services.resources import Resources
from services.tables import Job

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
