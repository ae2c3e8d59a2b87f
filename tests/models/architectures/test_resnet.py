import pytest
import torch
from torch import nn

from models import registry
from models.architectures.resnet import STAGE_BLOCKS
from models.errors import UnsuitableInput
from models.registry import Shape


def resnet(input_shape: Shape, depth: int = 18) -> nn.Module:
    return registry.get("resnet").configure({"depth": depth}).build(input_shape, 10)


@pytest.mark.parametrize("depth", STAGE_BLOCKS)
def test_the_depth_is_the_number_of_layers_with_weights_along_the_longest_path(depth: int) -> None:
    with torch.device("meta"):
        network = resnet((3, 224, 224), depth)
    layers = [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]
    assert len(layers) == depth


@pytest.mark.parametrize(
    ("input_shape", "last"),
    [
        ((3, 224, 224), (7, 7)),
        ((3, 64, 64), (2, 2)),
        ((3, 63, 80), (8, 10)),
        ((3, 32, 32), (4, 4)),
        ((1, 1, 1), (1, 1)),
    ],
)
def test_small_images_keep_their_size_in_the_stem(input_shape: Shape, last: tuple[int, int]) -> None:
    network = resnet(input_shape).eval()
    features = network.get_submodule("features")
    assert tuple(features(torch.zeros(1, *input_shape)).shape[2:]) == last
    assert network(torch.zeros(2, *input_shape)).shape == (2, 10)


def test_a_block_whose_residual_is_nothing_is_the_identity() -> None:
    network = resnet((3, 8, 8)).eval()
    block = network.get_submodule("features.1")
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    x_NCHW = torch.rand(2, 64, 8, 8)
    torch.testing.assert_close(block(x_NCHW), x_NCHW)


def test_convolutions_have_no_bias_and_variance_two_over_fan_in() -> None:
    convolutions = [layer for layer in resnet((3, 32, 32)).modules() if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        assert layer.bias is None
        fan_in = layer.weight[0].numel()
        assert float(layer.weight.detach().var() * fan_in) == pytest.approx(2.0, rel=0.2)


def test_rows_of_a_table_are_refused() -> None:
    with pytest.raises(UnsuitableInput, match="resnet"):
        resnet((30,))
