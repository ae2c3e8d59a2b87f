from itertools import pairwise
from pathlib import Path

import pytest

from models.training.callbacks import Reporting
from tests.models.running import Recorder
from tests.models.training.test_trainer import trainer_of


def test_the_first_step_is_reported_at_once_and_the_rest_in_intervals(iris: Path) -> None:
    recorder = Recorder()
    trainer_of(iris, "logistic", (Reporting(recorder, interval_seconds=1e9),), epochs=3).fit()
    assert recorder.steps == [1, 3, 6, 9]
    assert [step for step, _ in recorder.series["train_loss"]] == [1, 3, 6, 9]


def test_every_epoch_has_its_validation_and_learning_rate(iris: Path) -> None:
    recorder = Recorder()
    trainer_of(iris, "logistic", (Reporting(recorder),), epochs=2).fit()
    for series in ("val_loss", "val_accuracy", "learning_rate"):
        assert [step for step, _ in recorder.series[series]] == [3, 6]
    assert recorder.series["learning_rate"][0][1] == pytest.approx(1e-3)
    assert [line[:21] for line in recorder.lines] == ["info: epoch 1 of 2: t", "info: epoch 2 of 2: t"]


def test_progress_rises(iris: Path) -> None:
    recorder = Recorder()
    trainer_of(iris, "logistic", (Reporting(recorder, interval_seconds=0.0),), epochs=2).fit()
    assert all(before <= after for before, after in pairwise(recorder.fractions))
    assert recorder.fractions[-1] <= 1.0
