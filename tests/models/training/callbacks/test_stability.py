"""A balance that is lost on purpose is seen."""

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from models.data import DataSet
from models.training.callbacks import WatchStability
from models.training.plan import Plan
from models.training.trainer import Trainer, seed_everything
from tests.models.running import Recorder


def trained(
    digits: Path, hyperparameters: dict[str, Any], *, ignore_codes: bool = False, **training: Any
) -> tuple[dict[str, Any], Recorder]:
    """The findings of a short training of `gan`, and what was reported."""
    request = {
        "architecture": "gan",
        "hyperparameters": {"code_dim": 16, **hyperparameters},
        "training": {"epochs": 10, **training},
    }
    plan = Plan.of(request, DataSet.open(digits))
    seed_everything(0)
    network, report = plan.network(), Recorder()
    if ignore_codes:
        code: Any = cast(Any, network[1]).generator.code
        forward = code.forward
        code.forward = lambda z, labels=None: forward(torch.zeros_like(z), labels)
    watch = WatchStability(report, plan.splits["train"])
    Trainer(network, plan.task, plan.splits["train"], None, plan.settings, plan.compute, [watch]).fit()
    return watch.findings({})["stability"], report


def test_a_balanced_pair_is_healthy_and_its_series_are_reported(digits: Path) -> None:
    stability, report = trained(digits, {"hidden_dims": [128, 256, 512]})
    assert stability["verdict"] == "healthy", stability
    assert len(report.series["diversity"]) == 10
    assert report.series["diversity"][-1][1] > 0.5
    assert any("stability: healthy" in line for line in report.lines)


@pytest.mark.parametrize("conditional", [False, True])
def test_a_generator_that_ignores_its_codes_has_collapsed(digits: Path, conditional: bool) -> None:
    stability, report = trained(digits, {"hidden_dims": [64], "conditional": conditional}, ignore_codes=True)
    assert stability["verdict"] == "collapsed", stability
    assert stability["try"]
    assert report.series["diversity"][-1][1] < 0.1
    assert any(line.startswith("warning: stability: collapsed") for line in report.lines)


def test_a_discriminator_that_is_far_too_strong_has_won(digits: Path) -> None:
    strong = {"hidden_dims": [64], "discriminator_learning_rate_factor": 100.0, "dropout": 0.0, "label_smoothing": 0.0}
    optimizer = {"name": "adam", "learning_rate": 1e-5, "beta1": 0.5}
    stability, _ = trained(digits, strong, optimizer=optimizer)
    assert stability["verdict"] == "discriminator_won", stability


def test_classes_that_are_never_drawn_are_a_collapse_too(digits: Path) -> None:
    watch = WatchStability(Recorder(), Plan.of({"architecture": "gan"}, DataSet.open(digits)).splits["train"])
    watch.epochs = [{"diversity": 0.9}]
    metrics = {"generation": {"classes": 10, "classes_found": 2}}
    assert watch.findings(metrics)["stability"]["verdict"] == "collapsed"
    assert watch.findings({"generation": {"classes": 1, "classes_found": 0}})["stability"]["verdict"] == "healthy"
    assert watch.findings({"generation": {"absent": "no classes"}})["stability"]["verdict"] == "healthy"


def test_a_saved_state_goes_on_in_the_middle_of_an_epoch(digits: Path) -> None:
    train = Plan.of({"architecture": "gan"}, DataSet.open(digits)).splits["train"]
    watch, restored = WatchStability(Recorder(), train), WatchStability(Recorder(), train)
    watch.epochs = [{"diversity": 0.9}]
    watch.means.add({"generator_loss": Tensor([2.0])[0]})
    restored.load_state_dict(watch.state_dict())
    assert restored.epochs == watch.epochs
    assert restored.means.read() == {"generator_loss": 2.0}
