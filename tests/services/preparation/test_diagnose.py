"""What a diagnose job is spelled out to, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from services import jobs
from services.errors import Invalid
from services.requests.diagnose import ALL
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job
from tests.services.preparation.test_fits import CLASSES


@pytest.fixture(autouse=True)
def data(resources: Resources) -> None:
    with resources.database.transaction() as session:
        session.add(Dataset(name="classes", format="csv", manifest=CLASSES))
        few = {**CLASSES, "splits": {"train": {"count": 4}}, "digest": "sha256:9"}
        session.add(Dataset(name="few", format="csv", manifest=few))


def submit(resources: Resources, **given: Any) -> Job:
    body = {"kind": "diagnose", "architecture": "mlp", "dataset": "classes", **given}
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


def test_all_checks_are_made_unless_some_are_asked_for(resources: Resources) -> None:
    job = submit(resources)
    assert (job.kind, job.queue, job.dataset_name, job.model_name) == ("diagnose", "cpu", "classes", None)
    assert job.request["checks"] == list(ALL)
    assert submit(resources, checks=["data", "data"]).request["checks"] == ["data"]


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"dataset": "few"}, ["body", "folds"]),
        ({"architecture": "lenet"}, ["body", "architecture"]),
        ({"hyperparameters": {"dropout": 7}}, ["body", "hyperparameters", "dropout"]),
        (
            {"training": {"optimizer": {"name": "adam", "learning_rate": -1}}},
            ["body", "training", "optimizer", "learning_rate"],
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(resources: Resources, change: dict[str, Any], loc: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        submit(resources, **change)
    assert [error["loc"] for error in caught.value.errors] == [loc]


def test_a_check_that_does_not_exist_is_refused(resources: Resources) -> None:
    with pytest.raises(ValidationError, match="checks"):
        submit(resources, checks=["horoscope"])
