from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit

from models.inference import Session
from models.losses.heads import Bernoulli, Categorical, Gaussian, Poisson
from models.run import run
from tests.models.running import context_of, write_data_set

CLASSES = torch.tensor([0, 1, 2] * 1000)
NUMBERS = torch.tensor([10.0, 12.0, 14.0, 20.0])


def test_softmax_and_sigmoids_answer_with_probabilities() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]])
    torch.testing.assert_close(Categorical(CLASSES, 3)(logits), logits.exp() / logits.exp().sum(1, keepdim=True))
    coins = expit(logits.numpy())
    expected = torch.from_numpy(coins / coins.sum(axis=1, keepdims=True))
    torch.testing.assert_close(Bernoulli(CLASSES, 3)(logits), expected)


def test_sigmoids_that_all_vanish_still_sum_to_one() -> None:
    answers = Bernoulli(CLASSES, 2)(torch.tensor([[-500.0, -501.0]]))
    torch.testing.assert_close(answers, torch.tensor([[1.0, exp(-1)]]) / (1 + exp(-1)))


def test_a_gaussian_answers_in_the_targets_units_and_learns_standardised_ones() -> None:
    head = Gaussian(NUMBERS, 1)
    z = head.scaled(NUMBERS)
    assert (float(z.mean()), float(z.std(correction=0))) == pytest.approx((0.0, 1.0), abs=1e-6)
    torch.testing.assert_close(head(z[:, None]), NUMBERS)


def test_a_poisson_starts_at_the_mean_and_its_loss_sees_the_rate_that_it_answers() -> None:
    head = Poisson(NUMBERS, 1)
    z = torch.tensor([[0.0], [1.0]])
    torch.testing.assert_close(head(z), torch.tensor([14.0, 14.0 * np.e]).float())
    torch.testing.assert_close(head.natural(z).exp(), head(z))
    assert head.scaled(NUMBERS) is NUMBERS


@pytest.mark.parametrize("head", [Categorical, Bernoulli])
def test_label_noise_draws_so_many_classes_anew(head: Any) -> None:
    torch.manual_seed(0)
    noisy = head(CLASSES, 3).noised(CLASSES, 0.3)
    # A third of those that are drawn anew stay by chance.
    assert float((noisy != CLASSES).float().mean()) == pytest.approx(0.2, abs=0.03)
    changed = noisy[noisy != CLASSES]
    assert stats.chisquare(torch.bincount(changed, minlength=3).numpy()).pvalue > 0.01
    assert noisy.dtype == CLASSES.dtype


def test_noise_on_numbers_has_the_asked_for_deviation() -> None:
    torch.manual_seed(0)
    targets = torch.randn(20_000) * 5 + 100
    added = Gaussian(targets, 1).noised(targets, 0.2) - targets
    assert float(added.mean()) == pytest.approx(0.0, abs=0.02)
    assert float(added.std()) == pytest.approx(1.0, rel=0.02)
    counts = torch.poisson(torch.full((20_000,), 0.5))
    assert float(Poisson(counts, 1).noised(counts, 1.0).min()) == 0.0


def test_counts_are_regressed_as_by_their_own_law(tmp_path: Path) -> None:
    """The rates are recovered, which squares of errors, with other weights, do less well."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(3000, 2)).astype(np.float32)
    rates = np.exp(0.5 + 0.8 * rows[:, 0] - 0.5 * rows[:, 1])
    counts = generator.poisson(rates).astype(np.float32)
    dataset = write_data_set(tmp_path / "data", {"train": (rows, counts)})
    training = {
        "epochs": 200,
        "batch_size": "all",
        "optimizer": {"name": "adam", "learning_rate": 0.05},
        "scheduler": {"name": "cosine"},
    }
    errors = {}
    for loss in ("poisson", "mse"):
        request = {"architecture": "linear", "training": {**training, "loss": {"name": loss}}}
        outcome = run(context_of(tmp_path / loss, "train", request, dataset=dataset))
        answers = Session(outcome.files[0].path, threads=1).run(rows)
        errors[loss] = float(np.abs(answers - rates).mean() / rates.mean())
        assert outcome.version is not None
        assert outcome.version["parity"]["max_abs_difference"] < outcome.version["parity"]["tolerance"]
    assert errors["poisson"] < 0.05
    assert errors["mse"] > 0.2


def test_two_classes_are_told_apart_by_sigmoids(breast_cancer: Path, tmp_path: Path) -> None:
    training = {
        "epochs": 50,
        "loss": {"name": "binary_cross_entropy"},
        "optimizer": {"name": "adam", "learning_rate": 0.01},
    }
    request = {"architecture": "logistic", "training": training}
    outcome = run(context_of(tmp_path, "train", request, dataset=breast_cancer))
    assert outcome.result["metrics"]["accuracy"] > 0.93
    answers = Session(outcome.files[0].path, threads=1).run(np.load(breast_cancer / "train.inputs.npy"))
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-6)
