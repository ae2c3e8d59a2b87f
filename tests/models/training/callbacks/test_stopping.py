from pathlib import Path
from typing import Any

import pytest
import torch

from models.training.callbacks import Callback, KeepBest, StopEarly
from models.training.settings import EarlyStopping
from models.training.trainer import Trainer
from tests.models.training.test_trainer import trainer_of


class Script(Callback):
    """Puts the given values in the place of each epoch's validation."""

    def __init__(self, metric: str, values: list[float]) -> None:
        self.metric, self.values = metric, values

    def on_epoch_end(self, trainer: Trainer) -> None:
        trainer.validation[self.metric] = self.values[trainer.epoch - 1]


def epochs_run(iris: Path, metric: str, values: list[float], **settings: Any) -> int:
    stopping = StopEarly(EarlyStopping.model_validate({"metric": metric, **settings}))
    trainer = trainer_of(iris, "logistic", (Script(metric, values), stopping), epochs=len(values))
    trainer.fit()
    assert trainer.stopped_early == (trainer.epoch < len(values))
    return trainer.epoch


@pytest.mark.parametrize(
    ("metric", "values", "settings", "epochs"),
    [
        ("val_loss", [3, 2, 2, 2, 1, 1], {"patience": 2}, 4),
        ("val_loss", [3, 2, 2, 1, 1, 0.5], {"patience": 2}, 6),
        ("val_loss", [3, 2.9, 2.8, 2.7, 1, 1], {"patience": 2, "min_delta": 0.5}, 3),
        ("val_iou", [0.5, 0.6, 0.6, 0.5, 0.9, 0.9], {"patience": 2}, 4),
        ("val_mae", [3, 2, 2, 2, 1, 1], {"patience": 2}, 4),
        ("val_accuracy", [0.5, 0.6, 0.6, 0.5, 0.9, 0.9], {"patience": 2}, 4),
    ],
)
def test_training_stops_when_patience_is_over(
    iris: Path, metric: str, values: list[float], settings: dict[str, Any], epochs: int
) -> None:
    assert epochs_run(iris, metric, values, **settings) == epochs


@pytest.mark.parametrize(("metric", "values"), [("val_loss", [3, 1, 2, 1]), ("val_accuracy", [0.3, 0.9, 0.5, 0.9])])
def test_the_best_epochs_weights_are_restored(iris: Path, metric: str, values: list[float]) -> None:
    class Snapshots(Callback):
        def __init__(self) -> None:
            self.weights: list[torch.Tensor] = []

        def on_epoch_end(self, trainer: Trainer) -> None:
            self.weights.append(trainer.network[1].affine.weight.detach().clone())

    snapshots, best = Snapshots(), KeepBest(metric)
    trainer = trainer_of(iris, "logistic", (Script(metric, values), best, snapshots), epochs=4)
    trainer.fit()
    assert best.epoch == 2
    assert torch.equal(trainer.network[1].affine.weight, snapshots.weights[1])
    assert not torch.equal(snapshots.weights[1], snapshots.weights[3])


def test_without_validation_the_last_weights_stay(iris: Path) -> None:
    best = KeepBest("val_loss")
    trainer_of(iris, "logistic", (best,), split={"validation": 0.0}).fit()
    assert best.epoch is None
