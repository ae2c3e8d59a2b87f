from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models import registry
from models.data import DataSet
from models.errors import JobError
from models.tasks import TASKS, task_of
from models.training.plan import Plan
from tests.models.running import write_data_set


@pytest.mark.parametrize("dataset_task", ["classification", "regression", "segmentation", None])
@pytest.mark.parametrize(("architecture", "task"), [("autoencoder", "reconstruction"), ("vae", "generation")])
def test_it_can_be_learned_from_any_data_set(architecture: str, task: str, dataset_task: str | None) -> None:
    assert task_of(registry.get(architecture), {"task": dataset_task, "modality": "image"}) == task


def test_other_tasks_are_learned_from_data_sets_for_them_alone() -> None:
    assert task_of(registry.get("mlp"), {"task": "regression", "modality": "tabular"}) == "regression"
    for other in ("segmentation", None):
        with pytest.raises(JobError):
            task_of(registry.get("mlp"), {"task": other, "modality": "tabular"})


def plan_of(directory: Path, **request: Any) -> Plan:
    return Plan.of({"architecture": "vae", **request}, DataSet.open(directory))


def test_it_knows_the_classes_only_if_its_network_is_told_them(iris: Path) -> None:
    assert (plan_of(iris).task.labels, plan_of(iris).task.num_outputs) == (None, 0)
    task = plan_of(iris, hyperparameters={"conditional": True}).task
    assert (task.labels, task.num_outputs) == (["setosa", "versicolor", "virginica"], 3)


def test_missing_and_equal_targets_do_not_matter(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    for name, targets in (("missing", np.full(40, np.nan, np.float32)), ("equal", np.zeros(40, np.float32))):
        assert plan_of(write_data_set(tmp_path / name, {"train": (rows, targets)})).task.name == "generation"


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"training": {"loss": {"name": "mse"}}}, "unsuitable_loss", "hyperparameters"),
        ({"training": {"label_noise": 0.1}}, "unsuitable_label_noise", "training.label_noise"),
        ({"hyperparameters": {"conditional": True}}, "unsuitable_hyperparameter", "hyperparameters.conditional"),
        ({"hyperparameters": {"channels": [4]}}, "unsuitable_hyperparameter", "hyperparameters.channels"),
        ({"hyperparameters": {"loss": "bernoulli"}}, "unsuitable_hyperparameter", "hyperparameters.loss"),
        ({"training": {"early_stopping": {"metric": "val_accuracy"}}}, "unsuitable_metric", "val_mse"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_begins(
    diabetes: Path, request_: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(JobError) as caught:
        plan_of(diabetes, **request_)
    assert caught.value.code == code
    assert said in caught.value.detail


def test_the_graph_is_told_the_class_where_there_are_labels() -> None:
    task, inputs, targets = TASKS["generation"], np.zeros((2, 3), np.float32), np.array([1, 0], np.uint8)
    assert task.asked(inputs, targets, None) is inputs
    given, told = task.asked(inputs, targets, ["a", "b"])
    assert given is inputs
    assert told.dtype == np.int64


def test_answers_are_errors_and_scores() -> None:
    task = TASKS["reconstruction"]
    answers = task.read((np.zeros((2, 1, 4, 4), np.uint8), np.array([0.1, 0.2]), np.array([3.0, 4.0])), {})
    assert answers.tolist() == [[0.1, 3.0], [0.2, 4.0]]
    assert task.describe(answers[1], None, (4, 4)).facts == {"error": 0.2, "score": 4.0}
