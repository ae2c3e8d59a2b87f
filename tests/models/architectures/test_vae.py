from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.distributions import Independent, Normal, kl_divergence

from models import registry
from models.architectures.vae import VAE, divergence
from models.examples import Batch

BUNCH = load_digits()
DIGITS = torch.from_numpy(BUNCH.images[:600, None].astype(np.float32)) / 16
CLASSES = torch.from_numpy(BUNCH.target[:600])


def vae(classes: int = 0, **hyperparameters: Any) -> VAE:
    torch.manual_seed(0)
    defaults: dict[str, Any] = {"hidden_dims": [64], "code_dim": 4, "conditional": classes > 0}
    network = registry.get("vae").configure(defaults | hyperparameters).build((1, 8, 8), classes)
    assert isinstance(network, VAE)
    return network


def train(network: VAE, steps: int) -> VAE:
    (phase,) = network.phases(lambda batch: batch.inputs)
    optimizer = torch.optim.Adam(phase.parameters, lr=0.005)
    for _ in range(steps):
        rows = torch.randint(len(DIGITS), (100,))
        optimizer.zero_grad()
        phase.step(Batch(DIGITS[rows], CLASSES[rows]))["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network.eval()


def values_of(batch: Batch) -> Tensor:
    return batch.inputs


def test_the_divergence_is_that_of_two_normal_distributions() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    posterior = Independent(Normal(mean, (0.5 * log_variance).exp()), 1)
    prior = Independent(Normal(torch.zeros(5, 3), torch.ones(5, 3)), 1)
    torch.testing.assert_close(divergence(mean, log_variance), kl_divergence(posterior, prior))


@torch.no_grad()
def test_the_negative_elbo_is_the_sum_of_its_parts_in_nats() -> None:
    network = vae()
    (phase,) = network.phases(values_of)
    found = phase.step(Batch(DIGITS, CLASSES))
    torch.testing.assert_close(found["loss"], found["reconstruction"] + found["kl"])
    quality = network.quality(DIGITS)
    torch.testing.assert_close(quality["negative_elbo"], quality["reconstruction"] + quality["kl"])
    outputs = network.decoder(network.encode(DIGITS))
    expected = network.loss.each(outputs, DIGITS) + divergence(*network.posterior(DIGITS))
    torch.testing.assert_close(network.judge(DIGITS)[1], expected)


@torch.no_grad()
def test_more_samples_give_a_tighter_bound_of_the_likelihood() -> None:
    with torch.enable_grad():
        network = train(vae(), 200)
    one, many = (float(network.bound(DIGITS[:200], None, samples).mean()) for samples in (1, 100))
    elbo = float(network.quality(DIGITS[:200])["negative_elbo"].mean())
    assert one == pytest.approx(elbo, rel=0.02)
    assert many < one


def test_beta_trades_the_divergence_for_the_reconstruction() -> None:
    found = {}
    for beta in (0.2, 5.0):
        network = train(vae(beta=beta), 300)
        with torch.no_grad():
            quality = network.quality(DIGITS)
        found[beta] = {name: float(each.mean()) for name, each in quality.items()}
    assert found[5.0]["kl"] < 0.5 * found[0.2]["kl"]
    assert found[5.0]["reconstruction"] > found[0.2]["reconstruction"]


@torch.no_grad()
def test_beta_rises_over_the_first_steps_and_is_whole_in_validation() -> None:
    network = vae(beta=2.0, warmup_steps=4)
    (phase,) = network.phases(values_of)
    weights = []
    for _ in range(6):
        found = phase.step(Batch(DIGITS, CLASSES))
        weights.append(float((found["loss"] - found["reconstruction"]) / found["kl"]))
    assert weights == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.0, 2.0], rel=1e-3)
    network.steps.zero_()
    found = network.validate(values_of, Batch(DIGITS, CLASSES))
    torch.testing.assert_close(found["loss"], found["reconstruction"] + 2 * found["kl"])


def test_the_steps_of_the_warmup_are_in_a_checkpoint() -> None:
    assert "steps" in vae().state_dict()


@torch.no_grad()
def test_a_validation_is_the_same_each_time_and_leaves_the_generators_alone() -> None:
    network, before = vae(), torch.get_rng_state()
    first, second = (network.validate(values_of, Batch(DIGITS, CLASSES)) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), before)


def test_a_conditional_network_makes_the_class_that_is_asked_for() -> None:
    """Nearest to the mean image of the class among all means, for most codes of the prior."""
    network = train(vae(10, code_dim=2), 600)
    means = torch.stack([DIGITS[k == CLASSES].mean(dim=0) for k in range(10)]).flatten(1)
    labels = torch.arange(10).repeat(20)
    with torch.no_grad():
        samples = network.decode(torch.randn(200, 2), labels).flatten(1)
    assert float((torch.cdist(samples, means).argmin(dim=1) == labels).float().mean()) > 0.8


def test_an_unconditional_network_looks_at_no_class() -> None:
    assert vae().num_classes == 0
    assert vae().labels_of(Batch(DIGITS, CLASSES)) is None


@torch.no_grad()
def test_an_input_far_from_everything_has_a_finite_score() -> None:
    network = registry.get("vae").configure({"loss": "gaussian", "std": 1.0}).build((3,), 0)
    _, score = network.judge(torch.full((1, 3), 1e6))  # type: ignore[operator]
    assert score.isfinite()
