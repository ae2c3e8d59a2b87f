"""Train jobs of generative adversarial networks, on the 8×8 digits."""

import io
import random
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch
from PIL import Image

from models.inference import Session
from models.metrics.stability import Verdict
from models.run import Outcome
from tests.models.jobs.test_train import assert_same_bits, killed_at_poll, train
from tests.models.running import Recorder, file

SMALL: dict[str, dict[str, Any]] = {
    "gan": {"code_dim": 16, "hidden_dims": [64]},
    "dcgan": {"code_dim": 16, "channels": 8},
    "wgan_gp": {"code_dim": 16, "channels": 8},
}
THOROUGH: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 20,
    "ema": 0.9,
    "scheduler": {"name": "cosine"},
    "gradient_clip": 5.0,
    "l2": 1e-5,
    "augmentation": ["crop"],
}
every_architecture = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(scope="module", params=[(name, conditional) for name in SMALL for conditional in (False, True)])
def drawn(
    request: pytest.FixtureRequest, few_digits: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Outcome, Recorder, bool]:
    name, conditional = request.param
    report = Recorder()
    directory = tmp_path_factory.mktemp(name)
    hyperparameters = SMALL[name] | {"conditional": conditional}
    training = {"epochs": 3, "batch_size": 20, "ema": 0.9}
    outcome = train(directory, few_digits, name, training, hyperparameters=hyperparameters, report=report)
    return outcome, report, conditional


def test_the_version_draws_from_codes_and_labels(drawn: tuple[Outcome, Recorder, bool]) -> None:
    outcome, _, conditional = drawn
    assert outcome.version is not None
    assert {"model.onnx", "decoder.onnx"} <= {each.name for each in outcome.files}
    session = Session(file(outcome, "decoder.onnx"), threads=1)
    codes, labels = np.random.default_rng(0).normal(size=(10, 16)).astype(np.float32), np.arange(10)
    images = session.run((codes, labels) if conditional else (codes,))
    assert (images.dtype, images.shape) == (np.uint8, (10, 1, 8, 8))
    assert images.std(axis=0).any()
    graph = outcome.version["graphs"]["decoder"]
    assert [tensor["name"] for tensor in graph["inputs"]] == ["code", "label"][: 1 + conditional]
    assert graph["parity"]["max_abs_difference"] <= graph["parity"]["tolerance"]


def test_each_phase_has_its_series(drawn: tuple[Outcome, Recorder, bool]) -> None:
    outcome, report, _ = drawn
    assert outcome.version is not None
    losses = {name for name in report.series if name.endswith("_loss")}
    assert losses == {"discriminator_loss", "generator_loss"}
    assert {"discriminator_gradient_norm", "generator_gradient_norm", "diversity"} <= report.series.keys()
    is_critic = outcome.version["architecture"] == "wgan_gp"
    assert ("discriminator_distance" in report.series) == is_critic
    assert ("discriminator_real_accuracy" in report.series) == (not is_critic)


def test_every_epoch_leaves_a_sheet_of_samples(drawn: tuple[Outcome, Recorder, bool]) -> None:
    _, report, conditional = drawn
    assert list(report.artifacts) == [f"samples-epoch-000{epoch}.png" for epoch in (1, 2, 3)]
    for content in report.artifacts.values():
        assert Image.open(io.BytesIO(content)).size == (8 * 34 + 2, (10 if conditional else 8) * 34 + 2)
    assert len(set(report.artifacts.values())) == 3


def test_the_result_says_how_good_and_how_stable_it_is(drawn: tuple[Outcome, Recorder, bool]) -> None:
    outcome, _, conditional = drawn
    assert outcome.version is not None
    generation = outcome.version["metrics"]["generation"]
    assert generation["frechet_distance"] > generation["frechet_floor"] >= 0
    assert ("asked_class" in generation) == conditional
    for where in (outcome.result, outcome.version):
        assert where["stability"]["verdict"] in get_args(Verdict)
    assert outcome.result["best_epoch"] == outcome.result["epochs"] == 3


@every_architecture
def test_a_killed_and_resumed_run_ends_with_the_same_bits(name: str, few_digits: Path, tmp_path: Path) -> None:
    """All that both phases depend on is in the checkpoint: weights and their average, optimisers, codes to be drawn."""
    hyperparameters = SMALL[name] | {"conditional": True}
    if name != "wgan_gp":
        hyperparameters |= {"discriminator_steps": 2}
    reports = Recorder(), Recorder()
    whole = train(tmp_path / "whole", few_digits, name, THOROUGH, hyperparameters=hyperparameters, report=reports[0])
    generator = random.Random(0)
    kills = sorted(generator.sample(range(1, whole.result["steps"]), 3))
    for kill_at in [last - first for first, last in zip([0, *kills], kills, strict=False)]:
        with pytest.raises(ConnectionAbortedError):
            train(
                tmp_path / "killed",
                few_digits,
                name,
                THOROUGH,
                hyperparameters=hyperparameters,
                checkpoint_interval_seconds=0.0,
                report=Recorder(killed_at_poll(kill_at)),
            )
    resumed = train(tmp_path / "killed", few_digits, name, THOROUGH, hyperparameters=hyperparameters, report=reports[1])
    assert any("resumed after step" in line for line in reports[1].lines)
    assert_same_bits(whole, resumed)
    assert whole.result["stability"] == resumed.result["stability"]
    assert reports[1].artifacts.items() <= reports[0].artifacts.items()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "hyperparameters", "training", "conditional"),
    [
        ("gan", {"code_dim": 16}, {"epochs": 120}, False),
        ("gan", {"code_dim": 16}, {"epochs": 120}, True),
        ("dcgan", {"code_dim": 16}, {"epochs": 120}, False),
        ("dcgan", {"code_dim": 16}, {"epochs": 120}, True),
        ("wgan_gp", {"code_dim": 16}, {"epochs": 200}, False),
    ],
)
def test_all_ten_digits_are_drawn(
    name: str,
    hyperparameters: dict[str, Any],
    training: dict[str, Any],
    conditional: bool,
    digits: Path,
    tmp_path: Path,
) -> None:
    torch.manual_seed(0)
    outcome = train(
        tmp_path,
        digits,
        name,
        {"ema": 0.995, **training},
        hyperparameters=hyperparameters | {"conditional": conditional},
    )
    assert outcome.version is not None
    generation = outcome.version["metrics"]["generation"]
    assert outcome.result["stability"]["verdict"] == "healthy", outcome.result["stability"]
    assert generation["classes_found"] == 10, generation
    assert generation["diversity"] > 0.7
    if conditional:
        assert generation["asked_class"] > 0.8
