"""What a baseline job is spelled out to, and what is refused."""

from typing import Any

import pytest

from services import jobs
from services.errors import Invalid
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job
from tests.services.preparation.test_fits import CLASSES, VALUES

MASKS: dict[str, Any] = {**CLASSES, "modality": "image", "task": "segmentation", "digest": "sha256:3"}
TEXTS: dict[str, Any] = {**CLASSES, "modality": "text", "digest": "sha256:5"}
NOTHING: dict[str, Any] = {**VALUES, "task": None, "target": None, "digest": "sha256:4"}


@pytest.fixture(autouse=True)
def data(resources: Resources) -> None:
    manifests = {"classes": CLASSES, "values": VALUES, "masks": MASKS, "texts": TEXTS, "unlabelled": NOTHING}
    with resources.database.transaction() as session:
        for name, manifest in manifests.items():
            session.add(Dataset(name=name, format="csv", manifest=manifest))


def submit(resources: Resources, dataset: str, **given: Any) -> Job:
    body = {"kind": "baseline", "dataset": dataset, **given}
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


def test_families_and_split_are_spelled_out(resources: Resources) -> None:
    job = submit(resources, "classes", training={"split": {"test": 0.3}})
    assert (job.kind, job.queue, job.dataset_name, job.model_name) == ("baseline", "cpu", "classes", None)
    assert job.request["families"] == ["random", "classical", "automl"]
    assert job.request["training"] == {"split": {"validation": 0.2, "test": 0.3, "seed": 0}}
    assert submit(resources, "masks").request["families"] == ["random"]
    assert submit(resources, "texts").request["families"] == ["random", "classical", "automl"]
    assert submit(resources, "classes", families=["random", "random"]).request["families"] == ["random"]


def test_a_split_of_the_data_sets_own_is_enough(resources: Resources) -> None:
    submit(resources, "values", training={"split": {"validation": 0, "test": 0}})


@pytest.mark.parametrize(
    ("dataset", "change", "loc", "said"),
    [
        ("nowhere", {}, ["body", "dataset"], "nowhere"),
        ("unlabelled", {}, ["body", "dataset"], "unlabelled"),
        ("masks", {"families": ["random", "classical"]}, ["body", "families"], "random alone"),
        ("classes", {"training": {"epochs": 3}}, ["body", "training", "epochs"], "split"),
        ("classes", {"training": {"split": {"test": 0.9}}}, ["body", "training", "split", "test"], "maximum"),
        ("classes", {"training": {"split": {"share": 1}}}, ["body", "training", "split", "share"], "unknown"),
        ("classes", {"training": {"split": 3}}, ["body", "training", "split"], "object"),
        (
            "classes",
            {"training": {"split": {"validation": 0, "test": 0}}},
            ["body", "training", "split"],
            "hold rows out",
        ),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(
    resources: Resources, dataset: str, change: dict[str, Any], loc: list[Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        submit(resources, dataset, **change)
    assert [error["loc"] for error in caught.value.errors] == [loc]
