"""What the two phases change, and what they leave alone."""

from typing import cast

import pytest
import torch
from torch import Tensor, nn

from models import registry
from models.adversarial.networks import AdversarialNetwork, frozen
from models.examples import Batch
from models.training.averaging import average_of

ARCHITECTURES = ["gan", "dcgan", "wgan_gp"]
every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def network_of(name: str, shape: tuple[int, ...] = (1, 8, 8), **hyperparameters: object) -> AdversarialNetwork:
    torch.manual_seed(0)
    built = registry.get(name).configure({"code_dim": 5, **hyperparameters}).build(shape, 3)
    assert isinstance(built, AdversarialNetwork)
    return built


def batch(size: int = 6) -> Batch:
    return Batch(torch.rand(size, 1, 8, 8), torch.arange(size) % 3)


def values_of(batch: Batch) -> Tensor:
    return batch.inputs


@every_architecture
@pytest.mark.parametrize("conditional", [False, True])
def test_each_phase_has_gradients_for_its_own_network_alone(name: str, conditional: bool) -> None:
    network = network_of(name, conditional=conditional)
    discriminator, generator = network.phases(values_of)
    assert discriminator.parameters == list(network.discriminator.parameters())
    assert generator.parameters == list(network.generator.parameters())
    for phase, other in ((discriminator, generator), (generator, discriminator)):
        network.zero_grad()
        phase.step(batch())["loss"].backward()  # type: ignore[no-untyped-call]
        assert all(parameter.grad is not None and parameter.grad.any() for parameter in phase.parameters)
        assert all(parameter.grad is None for parameter in other.parameters)


@every_architecture
def test_a_conditional_network_uses_the_label_and_another_needs_none(name: str) -> None:
    codes, labels = torch.randn(4, 5), torch.tensor([0, 1, 2, 0])
    conditional, plain = network_of(name, conditional=True).eval(), network_of(name).eval()
    assert (conditional.num_classes, plain.num_classes) == (3, 0)
    assert not torch.equal(conditional.decode(codes, labels), conditional.decode(codes, (labels + 1) % 3))
    assert not torch.equal(
        conditional.discriminator(batch(4).inputs, labels), conditional.discriminator(batch(4).inputs, (labels + 1) % 3)
    )
    assert plain.decode(codes).shape == (4, 1, 8, 8)
    assert plain.labels_of(batch()) is None


@every_architecture
def test_pixels_are_between_0_and_1(name: str) -> None:
    drawn = network_of(name).eval().decode(50 * torch.randn(64, 5))
    assert drawn.min() >= 0
    assert drawn.max() <= 1


def test_a_table_is_drawn_without_bounds() -> None:
    drawn = network_of("gan", shape=(4,)).decode(50 * torch.randn(64, 5))
    assert drawn.shape == (64, 4)
    assert drawn.min() < 0


def test_the_critic_learns_from_more_batches_and_at_its_own_rate() -> None:
    critic, generator = network_of("wgan_gp", discriminator_learning_rate_factor=2.0).phases(values_of)
    assert (critic.every, generator.every) == (1, 5)
    assert (critic.learning_rate_factor, generator.learning_rate_factor) == (2.0, 1.0)
    assert {"loss", "distance", "gradient_penalty"} == set(critic.step(batch()))


def test_each_step_draws_codes_of_its_own() -> None:
    discriminator, _ = network_of("gan", dropout=0.0).phases(values_of)
    losses = {float(discriminator.step(batch())["loss"].detach()) for _ in range(3)}
    assert len(losses) == 3


def test_a_frozen_network_lets_gradients_through_and_takes_none() -> None:
    layer, x = nn.Linear(2, 1), torch.ones(1, 2, requires_grad=True)
    with frozen(layer):
        y = layer(x)
    y.sum().backward()
    assert x.grad is not None
    assert layer.weight.grad is None
    assert layer.weight.requires_grad


@every_architecture
def test_spectral_norm_and_every_other_choice_of_the_discriminator_learn(name: str) -> None:
    choices = registry.get(name).config.model_json_schema()["properties"]["discriminator_norm"]["enum"]
    assert "spectral" in choices
    for choice in choices:
        network = network_of(name, conditional=True, discriminator_norm=choice)
        for phase in network.phases(values_of):
            loss = phase.step(batch())["loss"]
            loss.backward()  # type: ignore[no-untyped-call]
            assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in phase.parameters)


@every_architecture
def test_weights_under_a_spectral_norm_can_be_averaged(name: str) -> None:
    network = network_of(name, discriminator_norm="spectral")
    average = average_of(network, 0.9)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(1.0)
    average.update_parameters(network)
    network.load_state_dict(average.module.state_dict())
    averaged = cast(AdversarialNetwork, average.module)
    for each in (network, averaged):
        each.eval()  # a look in training moves the estimate of the norm
    inputs = batch().inputs
    assert torch.equal(network.discriminator(inputs), averaged.discriminator(inputs))
