"""Linear models, trained by the job, are those of scikit-learn on the same rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.linear_model import Lasso, LinearRegression, Perceptron, Ridge
from sklearn.preprocessing import StandardScaler

from models.data import DataSet
from models.run import Outcome, run
from models.training.settings import Split
from tests.models.running import Array, context_of, file

WHOLE = {"validation": 0.0, "test": 0.0}
NUM_DIABETES = 442
PRECISE: dict[str, Any] = {
    "batch_size": "all",
    "split": WHOLE,
    "epochs": 1500,
    "optimizer": {"name": "adam", "learning_rate": 0.05},
    "scheduler": {"name": "cosine"},
}
SGD: dict[str, Any] = {"epochs": 1000, "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}}


def train(directory: Path, dataset: Path, architecture: str, training: dict[str, Any]) -> Outcome:
    request = {"architecture": architecture, "hyperparameters": {}, "training": training}
    return run(context_of(directory, "train", request, dataset=dataset))


def coefficients(outcome: Outcome) -> Array:
    """Of standardised features and targets."""
    weights = file(outcome, "weights.safetensors")
    return np.asarray(load_file(weights)["1.affine.weight"][0])


def standardised(directory: Path) -> tuple[Array, Array]:
    rows = next(DataSet.open(directory).divided(Split.model_validate(WHOLE))["train"].batches(NUM_DIABETES))
    targets = rows.targets.double().numpy()
    return (
        StandardScaler().fit_transform(rows.inputs.double().numpy()),
        (targets - targets.mean()) / targets.std(),
    )


@pytest.mark.parametrize(
    ("penalty", "theirs"),
    [
        ({}, LinearRegression()),
        ({"l2": 0.05}, Ridge(alpha=0.05 * NUM_DIABETES)),
        ({"l2": 1.0}, Ridge(alpha=1.0 * NUM_DIABETES)),
        ({"l1": 0.02}, Lasso(alpha=0.02 / 2, tol=1e-10)),
        ({"l1": 0.2}, Lasso(alpha=0.2 / 2, tol=1e-10)),
        ({"l1": 0.2, **SGD, "scheduler": {"name": "constant"}}, Lasso(alpha=0.2 / 2, tol=1e-10)),
    ],
    ids=["least squares", "ridge", "strong ridge", "lasso", "strong lasso", "strong lasso by sgd at a constant rate"],
)
def test_coefficients_are_those_of_the_same_penalty(
    diabetes: Path, tmp_path: Path, penalty: dict[str, Any], theirs: Any
) -> None:
    found = coefficients(train(tmp_path, diabetes, "linear", {**PRECISE, **penalty}))
    expected = theirs.fit(*standardised(diabetes)).coef_
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(found == 0, expected == 0)


def test_the_perceptron_is_within_a_point_of_scikit_learn(iris: Path, breast_cancer: Path, tmp_path: Path) -> None:
    """By Rosenblatt's rule, a row at a time; scikit-learn's, whose accuracy depends on the order, has five trials."""
    for directory in (iris, breast_cancer):
        training = {"batch_size": 1, "epochs": 50, "optimizer": {"name": "sgd"}}
        outcome = train(tmp_path / directory.name, directory, "perceptron", training)
        divided = DataSet.open(directory).divided(Split())
        rows = {name: next(examples.batches(len(examples))) for name, examples in divided.items()}
        scaler = StandardScaler().fit(rows["train"].inputs)
        held_out = scaler.transform(rows["test"].inputs), rows["test"].targets
        theirs = [
            Perceptron(random_state=seed).fit(scaler.transform(rows["train"].inputs), rows["train"].targets)
            for seed in range(5)
        ]
        assert outcome.result["metrics"]["accuracy"] >= max(model.score(*held_out) for model in theirs) - 0.01


def test_the_perceptron_is_trained_by_its_own_criterion_unless_another_is_named(iris: Path, tmp_path: Path) -> None:
    for loss, expected in ((None, "perceptron"), ({"name": "cross_entropy"}, "cross_entropy")):
        outcome = train(tmp_path / expected, iris, "perceptron", {"epochs": 1, "loss": loss})
        assert outcome.version is not None
        assert outcome.version["training"]["loss"]["name"] == expected
