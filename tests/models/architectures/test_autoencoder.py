from typing import Any

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from sklearn.datasets import load_digits
from torch import Tensor, nn

from models import registry
from models.errors import InvalidHyperparameters
from models.examples import Batch
from models.generative.network import CodingNetwork
from models.generative.noise import corrupted
from models.generative.penalties import hoyer_sparsity

DIGITS = torch.from_numpy(load_digits().images[:600, None].astype(np.float32)) / 16
SIGMOIDS: dict[str, Any] = {"hidden_dims": [], "code_dim": 16, "code_activation": "sigmoid"}


def autoencoder(x: Tensor = DIGITS, **hyperparameters: Any) -> CodingNetwork:
    torch.manual_seed(0)
    network = registry.get("autoencoder").configure(hyperparameters).build(tuple(x.shape[1:]), 0)
    assert isinstance(network, CodingNetwork)
    return network


def trained(x: Tensor = DIGITS, *, steps: int = 300, **hyperparameters: Any) -> CodingNetwork:
    network = autoencoder(x, **hyperparameters)
    (phase,) = network.phases(lambda batch: batch.inputs)
    optimizer = torch.optim.Adam(phase.parameters, lr=0.01)
    for _ in range(steps):
        batch = x[torch.randint(len(x), (100,))]
        optimizer.zero_grad()
        phase.step(Batch(batch, torch.zeros(100)))["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return network.eval()


def test_with_linear_layers_it_spans_the_subspace_of_the_principal_components() -> None:
    """Full batches and a falling rate, so that it comes to the optimum: only the subspace is determined."""
    generator = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(generator.normal(size=(12, 12)))
    x = torch.from_numpy(generator.normal(size=(500, 12)) * np.linspace(3, 0.3, 12) @ rotation.T).float()
    x = x - x.mean(dim=0)
    network = autoencoder(x, hidden_dims=[], code_dim=4)
    (phase,) = network.phases(lambda batch: batch.inputs)
    optimizer = torch.optim.Adam(phase.parameters, lr=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 1500)
    for _ in range(1500):
        optimizer.zero_grad()
        phase.step(Batch(x, x))["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    (layer,) = [layer for layer in network.decoder.modules() if isinstance(layer, nn.Linear)]  # type: ignore[union-attr]
    _, _, components = np.linalg.svd(x.numpy(), full_matrices=False)
    assert subspace_angles(layer.weight.detach().numpy(), components[:4].T).max() < 1e-2


@pytest.mark.parametrize(
    ("penalty", "weight", "plain"),
    [("l1", 2e-3, {**SIGMOIDS, "code_activation": "relu"}), ("kl", 1e-2, SIGMOIDS)],
)
def test_a_sparsity_penalty_makes_sparser_codes(penalty: str, weight: float, plain: dict[str, Any]) -> None:
    free, sparse = trained(**plain), trained(**plain, sparsity=weight, sparsity_penalty=penalty)
    with torch.no_grad():
        found = [float(hoyer_sparsity(network.encode(DIGITS)).mean()) for network in (free, sparse)]
    assert found[1] > found[0] + 0.1


def test_kl_brings_the_mean_activation_to_its_target() -> None:
    network = trained(**SIGMOIDS, sparsity=0.1, sparsity_penalty="kl", sparsity_target=0.2)
    with torch.no_grad():
        assert float(network.encode(DIGITS).mean()) == pytest.approx(0.2, abs=0.05)


@pytest.mark.parametrize("plain", [SIGMOIDS, {"hidden_dims": [32], "code_dim": 16, "activation": "tanh"}])
def test_contraction_makes_the_jacobian_smaller(plain: dict[str, Any]) -> None:
    free, contractive = (trained(**plain, contraction=weight).quality(DIGITS) for weight in (0.0, 1e-2))
    assert contractive["jacobian_norm"].mean() < 0.5 * free["jacobian_norm"].mean()


@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper"])
def test_what_is_denoised_is_cleaner_than_what_was_given(noise: Any) -> None:
    network = trained(hidden_dims=[64], code_dim=16, noise=noise, noise_amount=0.5)
    noisy = corrupted(DIGITS, noise, 0.5, torch.Generator().manual_seed(1))
    with torch.no_grad():
        errors = [float((values - DIGITS).square().mean()) for values in (network(noisy), noisy)]
        assert errors[0] < 0.5 * errors[1]
        quality = {name: float(each.mean()) for name, each in network.quality(DIGITS).items()}
    assert quality["denoised_mse"] < 0.5 * quality["noisy_mse"]


def test_noise_disturbs_training_alone() -> None:
    network = autoencoder(noise="gaussian")
    with torch.no_grad():
        assert torch.equal(network(DIGITS), network(DIGITS))
        (phase,) = network.phases(lambda batch: batch.inputs)
        batch = Batch(DIGITS, DIGITS)
        assert phase.step(batch)["loss"] != phase.step(batch)["loss"]


def test_a_validation_is_the_same_each_time_and_leaves_the_generators_alone() -> None:
    network, batch = autoencoder(noise="masking"), Batch(DIGITS, DIGITS)
    before = torch.get_rng_state()
    with torch.no_grad():
        first, second = (network.validate(lambda batch: batch.inputs, batch) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), before)


def test_the_score_is_the_mean_squared_error() -> None:
    network = trained(steps=20)
    with torch.no_grad():
        values, score = network.judge(DIGITS)
    torch.testing.assert_close(score, (values - DIGITS).square().mean(dim=(1, 2, 3)))


def test_a_convolutional_code_is_the_smallest_maps() -> None:
    reference = next(each for each in registry.get("autoencoder").references if each.name == "autoencoder-denoising")
    network = registry.get("autoencoder").configure(reference.hyperparameters).build((1, 28, 28), 0)
    assert network.code_dim == 32 * 7 * 7


@pytest.mark.parametrize(
    ("hyperparameters", "said"),
    [
        ({"sparsity": 0.1, "sparsity_penalty": "kl"}, "code_activation sigmoid"),
        ({"code_dim": None, "hidden_dims": []}, "code_dim null"),
        ({"noise": "rain"}, "hyperparameters.noise"),
    ],
)
def test_hyperparameters_that_do_not_suit_each_other_are_refused(hyperparameters: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidHyperparameters, match=said):
        registry.get("autoencoder").configure(hyperparameters)
