"""What is refused before it is queued, of the kinds that train several times."""

from typing import Any

import pytest

from models.splits import hold_out
from models.training.settings import Split
from services import jobs
from services.errors import Invalid
from services.preparation.fits import Subject
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job

ROWS: dict[str, Any] = {
    "modality": "tabular",
    "input": {"name": "features", "dtype": "float32", "shape": [2], "columns": [{"name": "x", "kind": "numeric"}] * 2},
    "target": {"name": "target", "dtype": "float32", "shape": []},
}
CLASSES: dict[str, Any] = {
    **ROWS,
    "task": "classification",
    "splits": {"train": {"count": 150}},
    "classes": ["a", "b"],
    "class_counts": {"train": [146, 4]},
    "digest": "sha256:1",
}
VALUES: dict[str, Any] = {
    **ROWS,
    "task": "regression",
    "splits": {"train": {"count": 2000}, "test": {"count": 9}},
    "classes": None,
    "class_counts": None,
    "digest": "sha256:2",
}
KINDS: dict[str, dict[str, Any]] = {
    "cross_validate": {"method": "k_fold"},
    "learning_curve": {},
    "validation_curve": {"parameter": "training.l2", "values": [0.0, 0.1]},
    "bias_variance": {},
}


@pytest.fixture(autouse=True)
def data(resources: Resources) -> None:
    with resources.database.transaction() as session:
        session.add(Dataset(name="classes", format="csv", manifest=CLASSES))
        session.add(Dataset(name="values", format="csv", manifest=VALUES))


def submit(resources: Resources, kind: str, **given: Any) -> Job:
    body = {"kind": kind, "architecture": "mlp", "dataset": "classes", **KINDS[kind], **given}
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_is_queued_without_a_model(resources: Resources, kind: str) -> None:
    job = submit(resources, kind)
    assert (job.kind, job.state, job.queue, job.dataset_name, job.model_name) == (
        kind,
        "queued",
        "cpu",
        "classes",
        None,
    )


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"architecture": "lenet"}, ["body", "architecture"]),
        ({"dataset": "nowhere"}, ["body", "dataset"]),
        ({"hyperparameters": {"dropout": 7}}, ["body", "hyperparameters", "dropout"]),
        ({"training": {"epochs": 0}}, ["body", "training", "epochs"]),
        ({"training": {"device": "cuda"}}, ["body", "training", "device"]),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_cannot_be_trained_is_refused_as_of_a_train_job(
    resources: Resources, kind: str, change: dict[str, Any], loc: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        submit(resources, kind, **change)
    assert [error["loc"] for error in caught.value.errors] == [loc]


@pytest.mark.parametrize(
    ("kind", "change", "loc", "said"),
    [
        ("cross_validate", {"method": "leave_p_out"}, ["body", "p"], "11,175"),
        ("cross_validate", {"method": "leave_one_out", "dataset": "values"}, ["body", "method"], "2,000"),
        ("cross_validate", {"method": "stratified_k_fold"}, ["body", "folds"], "4 rows"),
        ("cross_validate", {"method": "stratified_k_fold", "dataset": "values"}, ["body", "method"], "k_fold"),
        ("learning_curve", {"sizes": [91]}, ["body", "sizes", 0], "90"),
        ("learning_curve", {"sizes": [0.5, 2.5]}, ["body", "sizes", 1], "whole"),
        ("learning_curve", {"sizes": [0.01]}, ["body", "sizes", 0], "0 rows"),
        ("learning_curve", {"sizes": [0.5] * 20, "repeats": 100}, ["body", "repeats"], "2,000"),
        (
            "learning_curve",
            {"training": {"split": {"validation": 0}}},
            ["body", "training", "split", "validation"],
            "0",
        ),
        (
            "learning_curve",
            {"training": {"early_stopping": {}}},
            ["body", "training", "early_stopping"],
            "leave it out",
        ),
        ("validation_curve", {"values": [0.0, -1.0]}, ["body", "values", 1], "training.l2"),
        ("validation_curve", {"parameter": "hyperparameters.depth"}, ["body", "parameter"], "hidden_dims"),
        ("validation_curve", {"parameter": "training.epoch"}, ["body", "parameter"], "epochs"),
        ("validation_curve", {"parameter": "training.l2.x"}, ["body", "parameter"], "training.l2"),
        ("validation_curve", {"values": [0.0] * 20, "repeats": 100}, ["body", "repeats"], "2,000"),
        ("bias_variance", {"training": {"split": {"test": 0}}}, ["body", "training", "split", "test"], "above 0"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_refused(
    resources: Resources, kind: str, change: dict[str, Any], loc: list[Any], said: str
) -> None:
    with pytest.raises(Invalid, match=said) as caught:
        submit(resources, kind, **change)
    assert [error["loc"] for error in caught.value.errors] == [loc]


def test_1000_trainings_are_the_most(resources: Resources) -> None:
    submit(resources, "learning_curve", sizes=[0.5] * 10, repeats=100)
    with pytest.raises(Invalid, match="1,000"):
        submit(resources, "learning_curve", sizes=[0.5] * 11, repeats=100)


def test_a_split_of_the_data_sets_own_serves(resources: Resources) -> None:
    submit(resources, "bias_variance", dataset="values", training={"split": {"test": 0}})


def test_what_is_trained_for_each_value_is_spelled_out(resources: Resources) -> None:
    job = submit(
        resources,
        "validation_curve",
        parameter="training.optimizer.learning_rate",
        values=[0.1, 0.01],
        training={"epochs": 3},
        hyperparameters={"dropout": 0.5},
    )
    points = job.request["points"]
    assert [point["training"]["optimizer"]["learning_rate"] for point in points] == [0.1, 0.01]
    assert [point["training"]["optimizer"]["name"] for point in points] == ["adam", "adam"]
    assert all(point["training"]["epochs"] == 3 for point in points)
    assert all(point["hyperparameters"] == {"dropout": 0.5} for point in points)
    assert job.request["training"] == {"epochs": 3}


@pytest.mark.parametrize("count", [7, 150, 1797])
@pytest.mark.parametrize("shares", [{}, {"validation": 0.0}, {"validation": 0.33, "test": 0.15}])
def test_the_rows_left_to_train_on_are_those_that_the_engine_leaves(count: int, shares: dict[str, float]) -> None:
    split = Split(**shares)  # type: ignore[arg-type]
    request = JOB_REQUEST.validate_python({"kind": "learning_curve", "architecture": "mlp", "dataset": "x"})
    subject = Subject(request, {"splits": {"train": {"count": count}}}, split.model_dump())  # type: ignore[arg-type]
    assert subject.rows_left == len(hold_out(count, None, split, {"validation", "test"})["train"])
