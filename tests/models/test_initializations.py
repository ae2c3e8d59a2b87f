"""The weights' scale decides what is left of a signal after many layers: each rule beside its theory."""

import pytest
import torch
from torch import Tensor, nn

from models.initializations import Initialization, initialize

WIDTH = 512
DEPTH = 20


def variances(name: Initialization, activation: nn.Module) -> Tensor:
    """Variance, about 0, of the input (unit normal) and after each of 20 layers, in float64: (21,)."""
    torch.manual_seed(0)
    layers = [nn.Sequential(nn.Linear(WIDTH, WIDTH), activation) for _ in range(DEPTH)]
    initialize(nn.Sequential(*layers), name)
    signal, found = torch.randn(500, WIDTH), [1.0]
    with torch.inference_mode():
        for layer in layers:
            signal = layer(signal)
            found.append(float(signal.double().square().mean()))
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "activation", "factor"),
    [
        ("xavier", nn.Identity(), 1.0),
        ("orthogonal", nn.Identity(), 1.0),
        ("he", nn.ReLU(), 1.0),
        ("he", nn.Identity(), 2.0),
        ("xavier", nn.ReLU(), 0.5),
        ("orthogonal", nn.ReLU(), 0.5),
        ("random", nn.Identity(), WIDTH * 0.01**2),
        ("random", nn.ReLU(), WIDTH * 0.01**2 / 2),
        ("zero", nn.ReLU(), 0.0),
    ],
)
def test_each_layer_multiplies_the_variance_by_what_the_theory_says(
    name: Initialization, activation: nn.Module, factor: float
) -> None:
    """Var(W x) = fan_in · Var(w) · E[x²], and a ReLU keeps half of E[x²]."""
    found = variances(name, activation)
    assert float(found[1]) == pytest.approx(factor, rel=0.1)
    assert float(found[DEPTH]) ** (1 / DEPTH) == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize(
    ("name", "kept"), [("zero", False), ("random", False), ("xavier", True), ("he", True), ("orthogonal", True)]
)
def test_a_signal_survives_twenty_layers_of_tanh_or_is_lost(name: Initialization, kept: bool) -> None:
    last = float(variances(name, nn.Tanh())[DEPTH])
    assert last > 0.01 if kept else last < 1e-12


@pytest.mark.parametrize(
    ("name", "kept"), [("zero", False), ("random", False), ("xavier", False), ("he", True), ("orthogonal", False)]
)
def test_only_he_is_made_for_relu(name: Initialization, kept: bool) -> None:
    last = float(variances(name, nn.ReLU())[DEPTH])
    assert 0.2 < last < 5 if kept else last < 1e-4


def test_orthogonal_weights_keep_every_vectors_length() -> None:
    layer = nn.Linear(64, 64)
    initialize(layer, "orthogonal")
    torch.testing.assert_close(layer.weight.detach() @ layer.weight.detach().T, torch.eye(64), atol=1e-5, rtol=0)


def test_from_zero_weights_no_hidden_layer_ever_learns() -> None:
    network = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    initialize(network, "zero")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for _ in range(10):
        optimizer.zero_grad()
        (network(torch.randn(16, 4)) - 1).square().mean().backward()
        optimizer.step()
    moved = [name for name, parameter in network.named_parameters() if parameter.any()]
    assert moved == ["4.bias"]


@pytest.mark.parametrize("layer", [nn.Conv2d(8, 128, 3), nn.Conv2d(64, 128, 3, groups=4)])
def test_convolutions_count_the_inputs_of_one_output(layer: nn.Conv2d) -> None:
    initialize(layer, "he")
    fan_in = layer.weight[0].numel()
    assert float(layer.weight.detach().var()) == pytest.approx(2 / fan_in, rel=0.1)


@pytest.mark.parametrize("name", ["he", "orthogonal"])
@pytest.mark.parametrize(("stride", "groups"), [(1, 1), (2, 1), (2, 4)], ids=["dense", "strided", "grouped"])
def test_a_transposed_convolution_keeps_the_scale_as_a_convolution_does(
    name: Initialization, stride: int, groups: int
) -> None:
    """He's rule doubles E[x²], which a ReLU then halves; far from the border every output is reached alike."""
    torch.manual_seed(0)
    layer = nn.ConvTranspose2d(64, 64, 4, stride, groups=groups)
    initialize(layer, name)
    assert not layer.bias.any()  # type: ignore[union-attr]
    outputs = layer(torch.randn(4, 64, 16, 16))[:, :, 4:-4, 4:-4]
    expected = 2.0 if name == "he" else 1.0
    assert float(outputs.detach().square().mean()) == pytest.approx(expected, rel=0.15)


def test_biases_start_at_zero_but_for_torchs_own_rule() -> None:
    layer = nn.Linear(3, 4)
    before = layer.weight.clone()
    initialize(layer, "default")
    assert torch.equal(layer.weight, before)
    initialize(layer, "he")
    assert not layer.bias.any()
