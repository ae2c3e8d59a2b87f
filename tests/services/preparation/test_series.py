"""What is asked of models and data of series before a job is queued."""

from typing import Any

import numpy as np
import pytest

from services import jobs
from services.errors import Invalid
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Job
from tests.api.conftest import add_dataset

COLUMNS = [{"name": "sales", "kind": "numeric", "role": "target"}]
SALES: dict[str, Any] = {
    "modality": "series",
    "task": "forecasting",
    "splits": {"train": {"count": 1}},
    "classes": None,
    "input": {
        "name": "series",
        "dtype": "float32",
        "shape": [None, 1],
        "columns": COLUMNS,
        "time": {"name": "day", "unit": "day", "step": 1},
        "series": [{"id": "a", "start": "2026-01-01", "steps": 2}, {"id": "b", "start": "2026-01-01", "steps": 60}],
    },
    "target": None,
}
WORDS: dict[str, Any] = {
    "modality": "text",
    "task": "classification",
    "splits": {"train": {"count": 100}},
    "classes": ["a", "b"],
    "input": {"name": "text", "dtype": "string", "shape": []},
    "target": {"name": "label", "dtype": "int64", "shape": []},
}
FORECAST: dict[str, Any] = {"architecture": "gru", "dataset": "sales"}


@pytest.fixture(autouse=True)
def registered(resources: Resources) -> None:
    arrays = {"train.inputs": np.zeros(1, np.float32)}
    for name, manifest in (("sales", SALES), ("words", WORDS)):
        add_dataset(resources, name, arrays, manifest)


def submit(resources: Resources, **body: Any) -> Job:
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "train"},
        {"kind": "train", "hyperparameters": {"context": 35}},
        {"kind": "train", "training": {"loss": {"name": "pinball"}}},
        {"kind": "cross_validate", "method": "rolling_origin"},
        {"kind": "search"},
        {"kind": "search", "folds": 3},
    ],
)
def test_series_are_forecast(resources: Resources, body: dict[str, Any]) -> None:
    assert submit(resources, **FORECAST, **body).state == "queued"


@pytest.mark.parametrize(
    ("body", "code", "msg"),
    [
        ({"kind": "cross_validate", "method": "k_fold"}, "method_unsuitable", "use rolling_origin"),
        ({"kind": "cross_validate", "method": "rolling_origin", "dataset": "words"}, "method_unsuitable", "use k_fold"),
        ({"kind": "learning_curve"}, "task_unsuitable", "is for forecasting"),
        ({"kind": "train", "architecture": "lenet"}, "job_invalid", "lenet takes image data"),
        ({"kind": "train", "training": {"loss": {"name": "cross_entropy"}}}, "job_invalid", "not a choice for forec"),
        ({"kind": "train", "training": {"truncate_steps": 0}}, "job_invalid", "truncate_steps"),
        (
            {"kind": "train", "hyperparameters": {"context": 36}},
            "too_few_steps",
            "No 1 steps lie between 0% and 60% of a series with 36 before them",
        ),
        ({"kind": "train", "hyperparameters": {"context": 4, "season": 40}}, "too_few_steps", "with 41 before them"),
        ({"kind": "train", "hyperparameters": {"context": 4, "horizon": 13}}, "too_few_steps", "No 13 steps lie"),
        (
            {"kind": "train", "training": {"loss": {"name": "pinball", "quantiles": [0.9, 0.1]}}},
            "job_invalid",
            "training.loss.quantiles: must ascend, with 0.5 in the middle",
        ),
        (
            {"kind": "train", "training": {"loss": {"name": "pinball", "quantiles": ["a", None]}}},
            "job_invalid",
            "training.loss.quantiles.0: 'a' is not of type 'number'",
        ),
    ],
)
def test_what_is_not_for_series_is_refused_with_the_remedy(
    resources: Resources, body: dict[str, Any], code: str, msg: str
) -> None:
    with pytest.raises(Invalid, match=msg) as raised:
        submit(resources, **{**FORECAST, **body})
    assert raised.value.code == code
