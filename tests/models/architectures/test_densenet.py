from typing import Any

import pytest
import torch
from torch import nn

from models import registry
from models.architectures.densenet import BLOCK_LAYERS, _DenseLayer


def densenet(**hyperparameters: Any) -> nn.Module:
    with torch.device("meta"):
        return registry.get("densenet").configure(hyperparameters).build((3, 224, 224), 1000)


@pytest.mark.parametrize("depth", BLOCK_LAYERS)
def test_the_depth_is_the_number_of_layers_with_weights(depth: int) -> None:
    layers = [layer for layer in densenet(depth=depth).modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth


def test_a_layer_keeps_what_it_is_given_and_adds_the_growth_rate() -> None:
    torch.manual_seed(0)
    layer = _DenseLayer(10, growth_rate=4, dropout=0.0).eval()
    x_NCHW = torch.randn(2, 10, 5, 5)
    y_NCHW = layer(x_NCHW)
    assert y_NCHW.shape == (2, 14, 5, 5)
    assert torch.equal(y_NCHW[:, :10], x_NCHW)


def test_every_layer_of_a_block_sees_the_outputs_of_all_before_it() -> None:
    inputs = [layer.new[0].num_features for layer in densenet().modules() if isinstance(layer, _DenseLayer)]
    assert inputs[:6] == [64 + 32 * place for place in range(6)]
    assert inputs[6] == (64 + 6 * 32) // 2
    assert inputs[-1] == 1024 - 32


def test_the_growth_rate_is_a_hyperparameter() -> None:
    layers = [layer for layer in densenet(growth_rate=12).modules() if isinstance(layer, nn.Conv2d)]
    assert layers[0].out_channels == 24
    assert {layer.out_channels for layer in layers if layer.kernel_size == (3, 3)} == {12}
    assert {layer.in_channels for layer in layers if layer.kernel_size == (3, 3)} == {48}
