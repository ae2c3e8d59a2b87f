"""Each regulariser of the syllabus closes the gap of a network that learns its training rows by heart."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from sklearn.datasets import load_digits

from models.inference import Session
from models.run import run
from tests.models.running import Array, context_of, file, write_data_set

NUM_TRAIN = 200
WRONG_LABELS = 0.2
MEMORISING: dict[str, Any] = {
    "epochs": 60,
    "batch_size": 16,
    "optimizer": {"name": "adam", "learning_rate": 0.003},
    "split": {"validation": 0.0},
}


class Scores(NamedTuple):
    """Cross-entropy of the served graph, in nats, and accuracy on the training rows."""

    train: float
    test: float
    train_accuracy: float

    @property
    def gap(self) -> float:
        return self.test - self.train


Splits = dict[str, tuple[Array, Array]]


@pytest.fixture(scope="module")
def splits() -> Splits:
    """A few digits, a fifth of them labelled at random, and a test without wrong labels."""
    bunch = load_digits()
    images = (bunch.images * 255 / 16).round().astype(np.uint8)[:, None]
    generator = np.random.default_rng(0)
    wrong = generator.random(NUM_TRAIN) < WRONG_LABELS
    labels = np.where(wrong, generator.integers(0, 10, NUM_TRAIN), bunch.target[:NUM_TRAIN])
    return {
        "train": (images[:NUM_TRAIN], labels),
        "test": (images[NUM_TRAIN:1000], bunch.target[NUM_TRAIN:1000]),
    }


@pytest.fixture(scope="module")
def dataset(splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("data") / "wrong"
    return write_data_set(directory, splits, classes=[str(k) for k in range(10)])


def scores(
    directory: Path, dataset: Path, splits: Splits, training: dict[str, Any], hyperparameters: dict[str, Any]
) -> Scores:
    request = {
        "architecture": "mlp",
        "hyperparameters": {"hidden_dims": [128, 128], **hyperparameters},
        "training": {**MEMORISING, **training},
    }
    outcome = run(context_of(directory, "train", request, dataset=dataset))
    session = Session(file(outcome, "model.onnx"), threads=1)
    probabilities = {name: session.run(images) for name, (images, _) in splits.items()}
    of_truth = {name: probabilities[name][np.arange(len(labels)), labels] for name, (_, labels) in splits.items()}
    losses = {name: float(-np.log(np.maximum(values, 1e-12)).mean()) for name, values in of_truth.items()}
    right = probabilities["train"].argmax(axis=1) == splits["train"][1]
    return Scores(losses["train"], losses["test"], float(right.mean()))


@pytest.fixture(scope="module")
def plain(dataset: Path, splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    return scores(tmp_path_factory.mktemp("plain"), dataset, splits, {}, {})


def test_without_any_the_network_learns_even_the_wrong_labels(plain: Scores) -> None:
    assert plain.train_accuracy > 0.99
    assert plain.gap > 2.0


@pytest.mark.parametrize(
    ("training", "hyperparameters"),
    [
        ({"l1": 0.002}, {}),
        ({"l2": 0.003}, {}),
        ({}, {"dropout": 0.5}),
        ({}, {"batch_norm": True}),
        ({"augmentation": ["crop"]}, {}),
        ({"label_noise": 0.3}, {}),
        ({"loss": {"name": "cross_entropy", "label_smoothing": 0.2}}, {}),
        ({"early_stopping": {"patience": 3}, "split": {"validation": 0.3}}, {}),
    ],
    ids=["l1", "l2", "dropout", "batch norm", "augmentation", "label noise", "label smoothing", "early stopping"],
)
def test_a_regularizer_closes_the_gap(
    dataset: Path,
    splits: Splits,
    tmp_path: Path,
    plain: Scores,
    training: dict[str, Any],
    hyperparameters: dict[str, Any],
) -> None:
    regularized = scores(tmp_path, dataset, splits, training, hyperparameters)
    assert regularized.gap < 0.8 * plain.gap
    assert regularized.test < 0.8 * plain.test
