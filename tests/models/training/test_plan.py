from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.data import DataSet
from models.errors import JobError
from models.training.plan import Plan
from tests.models.running import write_data_set


def refused(directory: Path, request: dict[str, Any]) -> JobError:
    with pytest.raises(JobError) as caught:
        Plan.of(request, DataSet.open(directory)).network()
    return caught.value


@pytest.mark.parametrize(
    ("request_", "code", "said"),
    [
        ({"architecture": "lenett"}, "unknown_architecture", "lenet"),
        ({"architecture": "linear"}, "dataset_mismatch", "regression"),
        ({"architecture": "lenet"}, "dataset_mismatch", "image"),
        ({"architecture": "mlp", "hyperparameters": {"depth": 3}}, "invalid_hyperparameters", "depth"),
        ({"architecture": "mlp", "training": {"epochs": 0}}, "invalid_training", "training.epochs"),
        ({"architecture": "mlp", "training": {"loss": {"name": "mse"}}}, "unsuitable_loss", "cross_entropy"),
        ({"architecture": "mlp", "training": {"augmentation": ["flip"]}}, "unsuitable_augmentation", "images"),
        (
            {"architecture": "mlp", "training": {"early_stopping": {"metric": "val_mae"}}},
            "unsuitable_metric",
            "val_accuracy",
        ),
        (
            {"architecture": "mlp", "training": {"early_stopping": {}, "split": {"validation": 0.0}}},
            "no_validation",
            "training.split.validation",
        ),
        ({"architecture": "gan", "training": {"early_stopping": {}}}, "no_validation_loss", "training.early_stopping"),
        (
            {"architecture": "gan", "training": {"scheduler": {"name": "plateau"}}},
            "no_validation_loss",
            "training.scheduler",
        ),
        (
            {"architecture": "mlp", "hyperparameters": {"batch_norm": True}, "training": {"batch_size": 1}},
            "unsuitable_batch_size",
            "training.batch_size",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_begins(
    iris: Path, request_: dict[str, Any], code: str, said: str
) -> None:
    error = refused(iris, request_)
    assert error.code == code
    assert said in error.detail


def test_an_architectures_own_optimizer_is_taken_where_none_is_named(iris: Path) -> None:
    def optimizer(**training: Any) -> dict[str, Any]:
        return Plan.of(
            {"architecture": "gan", "training": training}, DataSet.open(iris)
        ).settings.optimizer.model_dump()

    assert {name: optimizer()[name] for name in ("name", "learning_rate", "beta1")} == {
        "name": "adam",
        "learning_rate": 2e-4,
        "beta1": 0.5,
    }
    assert optimizer(optimizer={"name": "sgd"})["name"] == "sgd"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("training", [{"device": "cuda"}, {"precision": "float16"}])
def test_a_device_that_is_not_there_is_refused(iris: Path, training: dict[str, Any]) -> None:
    assert refused(iris, {"architecture": "mlp", "training": training}).code == "device_unavailable"


def test_an_unlabelled_data_set_is_refused(tmp_path: Path) -> None:
    rows = np.zeros((9, 2), np.float32)
    directory = write_data_set(tmp_path / "d", {"train": (rows, None)})
    assert refused(directory, {"architecture": "mlp"}).code == "unsuitable_data"


def test_infinite_values_are_refused_with_their_column(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    rows[:, 1] = np.inf
    directory = write_data_set(tmp_path / "d", {"train": (rows, np.arange(40, dtype=np.float32))})
    assert "'x1'" in refused(directory, {"architecture": "mlp"}).detail


def test_a_loss_of_counts_refuses_negative_targets_of_any_split(tmp_path: Path) -> None:
    rows, counts = np.zeros((9, 2), np.float32), np.arange(9, dtype=np.float32)
    directory = write_data_set(tmp_path / "d", {"train": (rows, counts), "test": (rows, counts - 1)})
    error = refused(directory, {"architecture": "linear", "training": {"loss": {"name": "poisson"}}})
    assert error.code == "unsuitable_data"
    assert "training.loss" in error.detail


def test_one_row_is_refused(tmp_path: Path) -> None:
    directory = write_data_set(
        tmp_path / "d", {"train": (np.zeros((1, 2), np.float32), np.zeros(1, np.int64))}, classes=["a"]
    )
    assert refused(directory, {"architecture": "mlp"}).code == "unsuitable_data"


def test_images_too_small_for_the_network_are_refused(tmp_path: Path) -> None:
    images, classes = np.zeros((20, 1, 2, 2), np.uint8), np.arange(20) % 2
    directory = write_data_set(tmp_path / "d", {"train": (images, classes)}, classes=["a", "b"])
    assert refused(directory, {"architecture": "lenet"}).code == "unsuitable_input"


def test_defaults_are_filled_in(iris: Path) -> None:
    plan = Plan.of({"architecture": "mlp"}, DataSet.open(iris))
    assert plan.settings.loss is not None
    assert plan.settings.loss.name == "cross_entropy"
    assert plan.config.model_dump()["hidden_dims"] == (128, 64)
