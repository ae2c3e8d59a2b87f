from pathlib import Path

import pytest
import torch

from models.errors import TrainingDiverged
from models.run import Stopped
from models.training import checkpoint
from models.training.callbacks import Checkpointing
from tests.models.running import Recorder, wish_at_poll
from tests.models.training.test_trainer import trainer_of


def test_an_interval_of_zero_saves_after_every_step(iris: Path, tmp_path: Path) -> None:
    trainer_of(iris, "logistic", (Checkpointing(tmp_path, 0.0, Recorder()),), epochs=1).fit()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000000002.checkpoint", "000000000003.checkpoint"]


def test_a_long_interval_saves_nothing(iris: Path, tmp_path: Path) -> None:
    trainer_of(iris, "logistic", (Checkpointing(tmp_path, 1e9, Recorder()),)).fit()
    assert list(tmp_path.iterdir()) == []


def test_a_pause_saves_first(iris: Path, tmp_path: Path) -> None:
    report = Recorder(wish_at_poll(2, "pause"))
    with pytest.raises(Stopped) as caught:
        trainer_of(iris, "logistic", (Checkpointing(tmp_path, 1e9, report),)).fit()
    assert caught.value.wish == "pause"
    state = checkpoint.newest(tmp_path)
    assert state is not None
    assert state["position"] == {"step": 2, "epoch": 0, "batch": 2}


def test_a_cancel_does_not(iris: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped) as caught:
        trainer_of(iris, "logistic", (Checkpointing(tmp_path, 1e9, Recorder(wish_at_poll(1, "cancel"))),)).fit()
    assert caught.value.wish == "cancel"
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_cannot_be_written_costs_no_training(iris: Path, tmp_path: Path) -> None:
    report = Recorder()
    trainer = trainer_of(iris, "logistic", (Checkpointing(tmp_path / "missing", 0.0, report),), epochs=1)
    trainer.fit()
    assert trainer.epoch == 1
    assert len([line for line in report.lines if line.startswith("warning: checkpoint")]) == 3


def test_a_diverged_state_is_not_saved(iris: Path, tmp_path: Path) -> None:
    trainer = trainer_of(iris, "logistic", (Checkpointing(tmp_path, 0.0, Recorder()),))
    with torch.no_grad():
        trainer.network[1].affine.weight.fill_(float("nan"))
    with pytest.raises(TrainingDiverged):
        trainer.fit()
    assert list(tmp_path.iterdir()) == []
