from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.data import DataSet
from models.examples import Batch
from models.losses import CrossEntropy
from models.tasks import Classification
from models.training.settings import Split

BATCH = Batch(torch.tensor([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), torch.tensor([0, 2]))


def task(iris: Path) -> Classification:
    dataset = DataSet.open(iris)
    return Classification(dataset, dataset.divided(Split())["train"], CrossEntropy(name="cross_entropy"))


def test_it_has_an_output_for_each_class(iris: Path) -> None:
    assert task(iris).num_outputs == 3
    assert task(iris).output() == {"name": "probabilities", "dtype": "float32", "shape": [3]}


def test_validation_has_loss_accuracy_and_the_recall_of_each_class(iris: Path) -> None:
    values = task(iris).validate(nn.Identity(), BATCH)
    torch.testing.assert_close(values["loss"], nn.functional.cross_entropy(BATCH.inputs, BATCH.targets))
    assert values["accuracy"] == 0.5
    assert values["balanced_accuracy"].tolist() == [[1, 0, 0], [1, 0, 1]]


def test_answers_are_probabilities(iris: Path) -> None:
    torch.testing.assert_close(task(iris).postprocess()(BATCH.inputs), BATCH.inputs.softmax(1))


def test_one_phase_trains_all_parameters(iris: Path) -> None:
    network = nn.Linear(3, 3)
    (phase,) = task(iris).phases(network)
    assert phase.parameters == list(network.parameters())
    torch.testing.assert_close(
        phase.step(BATCH)["loss"], nn.functional.cross_entropy(network(BATCH.inputs), BATCH.targets)
    )


def test_guessing_a_class_is_as_good_as_its_frequency() -> None:
    train = np.repeat([0, 1], [30, 70])
    answers = Classification.guess(train, count=100, num_outputs=2)
    scores = Classification.score(train, answers, ["no", "yes"], num_inputs=4)
    assert scores["accuracy"] == 0.7
    assert scores["roc_auc"] == 0.5
    assert scores["log_loss"] == pytest.approx(-(0.3 * np.log(0.3) + 0.7 * np.log(0.7)))
