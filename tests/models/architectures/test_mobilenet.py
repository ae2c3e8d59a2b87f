import pytest
import torch
from torch import nn

from models import registry
from models.summary import layers


def mobilenet(width_multiplier: float = 1.0) -> nn.Module:
    with torch.device("meta"):
        return registry.get("mobilenet").configure({"width_multiplier": width_multiplier}).build((3, 224, 224), 1000)


@pytest.mark.parametrize(
    ("width_multiplier", "millions", "multiply_adds"),
    [(1.0, 4.2, 569e6), (0.75, 2.6, 325e6), (0.5, 1.3, 149e6), (0.25, 0.5, 41e6)],
)
def test_the_width_multiplier_thins_it_as_in_the_papers_table_6(
    width_multiplier: float, millions: float, multiply_adds: float
) -> None:
    network = mobilenet(width_multiplier)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert round(parameters / 1e6, 1) == millions
    assert sum(row.multiply_adds for row in layers(network, (3, 224, 224))) == pytest.approx(multiply_adds, rel=0.02)


def test_it_has_28_layers_with_weights() -> None:
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in mobilenet().modules()) == 28


def test_a_separable_convolution_costs_one_mth_and_a_ninth_of_a_whole_one() -> None:
    rows = [row for row in layers(mobilenet(), (3, 224, 224)) if row.kind == "Conv2d"]
    depthwise, pointwise = rows[1:3]
    channels, (maps, height, width) = depthwise.output_shape[0], pointwise.output_shape
    whole = channels * maps * height * width * 9
    assert depthwise.multiply_adds + pointwise.multiply_adds == pytest.approx(whole * (1 / maps + 1 / 9))


def test_a_depthwise_convolution_mixes_no_maps() -> None:
    network = registry.get("mobilenet").configure({}).build((1, 28, 28), 10)
    depthwise = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d) and layer.groups > 1)
    assert depthwise.groups == depthwise.in_channels == depthwise.out_channels
    x_NCHW = torch.zeros(1, depthwise.in_channels, 8, 8)
    x_NCHW[0, 5] = torch.randn(8, 8)
    touched = depthwise(x_NCHW).detach().abs().sum((0, 2, 3)).nonzero().flatten().tolist()
    assert touched == [5]


def test_the_thinnest_network_still_has_a_map_in_every_layer() -> None:
    network = registry.get("mobilenet").configure({"width_multiplier": 0.001}).build((1, 28, 28), 10)
    assert network(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
