"""What an evaluation is refused for before it is queued, and what is fixed when it is."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from services import datasets, jobs, registry
from services.errors import Conflict, Invalid
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job
from tests.api.conftest import add_dataset, add_version
from tests.serving_models import image_classifier, image_signature, tabular_regressor, tabular_signature
from workers.assignments import Slot, assign

IMAGES: dict[str, Any] = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 4}},
    "classes": ["dark", "middle", "bright"],
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]},
}
TABLE: dict[str, Any] = {"modality": "tabular", "task": "regression", "classes": None}


@pytest.fixture(autouse=True)
def registered(resources: Resources) -> None:
    """Versions 1 and 2 of `shades`, the first trained on `digits`; `others` and `prices`, which differ."""
    images = {"train.inputs": np.zeros((4, 1, 2, 2), np.uint8)}
    for name in ("digits", "later"):
        add_dataset(resources, name, images, IMAGES)
    with resources.database.transaction() as session:
        digest = (datasets.get(session, "digits").manifest or {})["digest"]
    add_version(resources, "shades", image_classifier(), image_signature(), dataset_digest=digest)
    add_version(resources, "shades", image_classifier(), image_signature())
    larger = {**image_signature(), "input": {**image_signature()["input"], "shape": [3, 8, 8]}}
    turned = {**larger, "labels": image_signature()["labels"][::-1]}
    add_version(resources, "larger", image_classifier(), turned)
    add_version(resources, "others", image_classifier(), {**image_signature(), "labels": ["dark", "middle", "pink"]})
    add_version(resources, "prices", tabular_regressor(), tabular_signature())


def submit(resources: Resources, **given: Any) -> Job:
    return ask(resources, **{"kind": "evaluate", "model": "shades", "version": 1, "dataset": "later", **given})


def ask(resources: Resources, **body: Any) -> Job:
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


def refusal(resources: Resources, **given: Any) -> tuple[str, list[Any]]:
    with pytest.raises(Invalid) as caught:
        submit(resources, **given)
    return caught.value.code, list(caught.value.errors[0]["loc"])


def test_versions_and_the_training_data_are_fixed(resources: Resources) -> None:
    job = submit(resources, version="latest", against={"version": 1})
    assert job.request == {
        "kind": "evaluate",
        "model": "shades",
        "version": 2,
        "dataset": "later",
        "split": "test",
        "hardest": 25,
        "against": {"model": "shades", "version": 1},
        "reference": None,  # version 2 was trained on something that is no longer
    }
    assert submit(resources).request["reference"] == "digits"


def test_the_job_is_given_both_versions_and_the_training_data(resources: Resources) -> None:
    job = submit(resources, against={"model": "larger"})
    with resources.database.transaction() as session:
        assignment = assign(session, resources, job, Slot(threads=1))
        other = registry.version(session, "larger", "1")
        digits = datasets.get(session, "digits").manifest or {}
    assert assignment.reference == datasets.directory(resources.settings, digits)
    ((graph, record),) = assignment.others
    assert (graph, record) == (resources.artifacts.path(other.onnx_sha256), other.record)


def test_images_may_be_of_another_size_and_classes_in_another_order(resources: Resources) -> None:
    assert submit(resources, against={"model": "larger"}).request["against"] == {"model": "larger", "version": 1}


@pytest.mark.parametrize(
    ("against", "code", "loc"),
    [
        ({"model": "nobody"}, "model_not_found", ["body", "against", "model"]),
        ({"version": 7}, "version_not_found", ["body", "against", "version"]),
        ({"version": 1}, "same_version", ["body", "against"]),
        ({"model": "others"}, "versions_differ", ["body", "against"]),
        ({"model": "prices"}, "versions_differ", ["body", "against"]),
    ],
)
def test_a_version_that_cannot_be_compared_is_refused(
    resources: Resources, against: dict[str, Any], code: str, loc: list[str]
) -> None:
    assert refusal(resources, against=against) == (code, loc)


def test_a_table_of_other_columns_is_refused(resources: Resources) -> None:
    signature = tabular_signature()
    columns = [{**column, "name": f"other {column['name']}"} for column in signature["input"]["columns"]]
    renamed = {**signature, "input": {**signature["input"], "columns": columns}}
    add_version(resources, "renamed", tabular_regressor(), renamed)
    add_dataset(resources, "rows", {}, {**IMAGES, **TABLE, "input": signature["input"]})
    given = {"model": "prices", "dataset": "rows", "against": {"model": "renamed"}}
    assert refusal(resources, **given) == ("versions_differ", ["body", "against"])


@pytest.mark.parametrize("change", [{"horizon": 3}, {"context": 5}, {"season": 7}])
def test_forecasts_of_other_steps_are_not_compared(resources: Resources, change: dict[str, Any]) -> None:
    columns = [{"name": "sales", "kind": "numeric", "role": "target"}]
    series = {"name": "series", "dtype": "float32", "shape": [None, 1], "columns": columns}
    windows = {**series, "shape": [4, 1], "context": 4, "horizon": 2, "season": 1}
    forecasts = {"modality": "series", "task": "forecasting", "labels": None, "output": {"name": "forecast"}}
    add_dataset(resources, "shops", {}, {**IMAGES, **forecasts, "classes": None, "input": series})
    for name, described in (("ours", windows), ("theirs", {**windows, **change})):
        add_version(resources, name, tabular_regressor(), {**forecasts, "input": described})
    given = {"model": "ours", "dataset": "shops", "against": {"model": "theirs"}}
    assert refusal(resources, **given) == ("versions_differ", ["body", "against"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "other"}, "lacks the column 'rooms'"),
        ({"kind": "categorical", "categories": ["many"]}, "has categorical values in the column 'rooms'"),
    ],
)
@pytest.mark.parametrize("kind", ["evaluate", "infer"])
def test_a_table_whose_columns_are_not_the_models_is_refused(
    resources: Resources, kind: str, change: dict[str, Any], said: str
) -> None:
    described = tabular_signature()["input"]
    for name, columns in (
        ("changed", [{**described["columns"][0], **change}, *described["columns"][1:]]),
        ("wider", [{"name": "note", "kind": "numeric"}, *described["columns"]]),
    ):
        given = {**described, "shape": [len(columns)], "columns": columns}
        add_dataset(resources, name, {}, {**IMAGES, **TABLE, "input": given})
    with pytest.raises(Invalid, match=said):
        ask(resources, kind=kind, model="prices", dataset="changed")
    assert ask(resources, kind=kind, model="prices", dataset="wider").state == "queued"


def test_a_class_that_the_model_does_not_know_is_refused_where_it_has_to_be_told(resources: Resources) -> None:
    add_dataset(resources, "pink", {}, {**IMAGES, "classes": ["dark", "pink"]})
    assert refusal(resources, dataset="pink") == ("dataset_mismatch", ["body", "dataset"])
    assert ask(resources, kind="infer", model="shades", dataset="pink").state == "queued"


@pytest.mark.parametrize("hardest", [-1, 101, 2.5, "all"])
def test_a_number_of_hardest_rows_is_from_0_to_100(hardest: object) -> None:
    with pytest.raises(ValidationError) as caught:
        JOB_REQUEST.validate_python({"kind": "evaluate", "model": "m", "dataset": "d", "hardest": hardest})
    assert caught.value.errors()[0]["loc"] == ("evaluate", "hardest")


def test_a_data_set_that_an_evaluation_compares_with_is_not_deleted(resources: Resources) -> None:
    submit(resources)
    for name in ("digits", "later"):
        with pytest.raises(Conflict) as caught, resources.database.transaction() as session:
            datasets.delete(session, name)
        assert caught.value.code == "dataset_in_use"


def test_an_unlabelled_data_set_or_one_for_another_task_is_refused(resources: Resources) -> None:
    with resources.database.transaction() as session:
        manifest = {**IMAGES, "task": None, "classes": None, "digest": "sha256:1"}
        session.add(Dataset(name="unlabelled", format="npz", manifest=manifest))
    assert refusal(resources, dataset="unlabelled") == ("dataset_mismatch", ["body", "dataset"])
    assert refusal(resources, model="prices") == ("dataset_mismatch", ["body", "dataset"])
