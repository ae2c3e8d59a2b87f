"""Which baselines a training is compared with."""

from typing import Any

import pytest

from services import baselines
from services.resources import Resources
from services.tables import Dataset, Job, new_id
from tests.services.preparation.test_fits import CLASSES, VALUES

DEFAULT = {"validation": 0.2, "test": 0.2, "seed": 0}


@pytest.fixture(autouse=True)
def data(resources: Resources) -> None:
    with resources.database.transaction() as session:
        for name in ("classes", "the-same"):
            session.add(Dataset(name=name, format="csv", manifest=CLASSES))
        session.add(Dataset(name="values", format="csv", manifest=VALUES))


def store(
    resources: Resources, dataset: str = "classes", split: dict[str, Any] | None = None, **given: Any
) -> tuple[str, str]:
    """A finished baseline job of this accuracy: its id and its baseline's name."""
    entry = {
        "name": given.pop("name", "random_forest"),
        "family": "classical",
        "metrics": {"test": {"accuracy": given.pop("accuracy", 0.9), "intervals": {"accuracy": [0.8, 1.0]}}},
    }
    digest = given.pop("digest", CLASSES["digest"])
    result = {"dataset_digest": digest, "task": "classification", "baselines": [entry]}
    request = {"kind": "baseline", "dataset": dataset, "training": {"split": split or DEFAULT}}
    row = {"kind": "baseline", "state": "succeeded", "queue": "cpu", **given}
    job = Job(id=new_id(), request=request, dataset_name=dataset, result=result, **row)
    with resources.database.transaction() as session:
        session.add(job)
    return job.id, str(entry["name"])


def found(resources: Resources, training: dict[str, Any] | None = None) -> dict[str, Any]:
    with resources.database.snapshot() as session:
        records = baselines.stored(session, resources.catalogue, CLASSES, training or {})
    return {record["name"]: record for record in records}


def test_what_was_measured_on_the_same_rows_is_found_whatever_the_data_is_called(resources: Resources) -> None:
    job_id, name = store(resources, dataset="the-same")
    assert found(resources) == {
        name: {
            "job": job_id,
            "task": "classification",
            "name": name,
            "family": "classical",
            "metrics": {"test": {"accuracy": 0.9}},
        }
    }
    assert found(resources, {"epochs": 3, "split": {"seed": 0}})


def test_other_rows_and_other_data_are_not(resources: Resources) -> None:
    store(resources, split={**DEFAULT, "seed": 1})
    store(resources, split={**DEFAULT, "test": 0.3})
    store(resources, dataset="values", digest=VALUES["digest"])
    store(resources, digest="sha256:older")
    store(resources, state="failed")
    store(resources, kind="cross_validate")
    assert found(resources) == {}
    assert found(resources, {"split": {"seed": 1}})


def test_of_one_name_the_newest_counts(resources: Resources) -> None:
    store(resources, accuracy=0.95)
    store(resources, name="ridge")
    newest, name = store(resources, accuracy=0.9)
    assert found(resources)[name]["job"] == newest
    assert set(found(resources)) == {name, "ridge"}


@pytest.mark.parametrize(
    ("splits", "split", "held_out"),
    [
        (("train",), {}, {"validation": 0.2, "test": 0.2, "seed": 0}),
        (("train", "test"), {"test": 0.5}, {"validation": 0.2, "seed": 0}),
        (("train", "test"), {"validation": 0.0, "seed": 5}, {}),
        (("train", "validation", "test"), {"seed": 5}, {}),
    ],
)
def test_only_what_the_data_set_lacks_is_held_out(
    splits: tuple[str, ...], split: dict[str, Any], held_out: dict[str, Any]
) -> None:
    manifest = {"splits": {name: {"count": 10} for name in splits}}
    assert baselines.held_out(manifest, {**DEFAULT, **split}) == held_out
