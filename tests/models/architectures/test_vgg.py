from typing import Any

import pytest
import torch
from torch import nn

from models import registry
from models.architectures.vgg import STAGE_CHANNELS, STAGE_CONVOLUTIONS
from models.registry import Shape


def vgg(input_shape: Shape = (3, 224, 224), **hyperparameters: Any) -> nn.Module:
    with torch.device("meta"):
        return registry.get("vgg").configure(hyperparameters).build(input_shape, 10)


@pytest.mark.parametrize("depth", STAGE_CONVOLUTIONS)
def test_the_depth_is_the_number_of_layers_with_weights(depth: int) -> None:
    layers = [layer for layer in vgg(depth=depth).modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth
    kernels = {layer.kernel_size for layer in layers if isinstance(layer, nn.Conv2d)}
    assert kernels == {(3, 3)}


def test_the_stages_of_vgg16_are_configuration_d() -> None:
    widths: list[int | str] = []
    for layer in vgg(depth=16).get_submodule("features").children():
        if isinstance(layer, nn.Conv2d):
            widths.append(layer.out_channels)
        elif isinstance(layer, nn.MaxPool2d):
            widths.append("pool")
    stages = (2 * [64], 2 * [128], 3 * [256], 3 * [512], 3 * [512])
    assert widths == [entry for stage in stages for entry in (*stage, "pool")]


def test_batch_normalisation_takes_the_place_of_the_biases() -> None:
    plain, normed = vgg(), vgg(batch_norm=True)
    kinds = [type(layer).__name__ for layer in normed.get_submodule("features").children()]
    assert kinds[:4] == ["Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d"]
    num_maps = sum(count * channels for count, channels in zip(STAGE_CONVOLUTIONS[11], STAGE_CHANNELS, strict=True))
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in (plain, normed)]
    assert counts[1] - counts[0] == 2 * num_maps - num_maps


def test_two_3_by_3_convolutions_see_5_by_5() -> None:
    """The paper's argument: the gradient of one output reaches a square of side 5."""
    torch.manual_seed(0)
    stack = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1))
    image = torch.zeros(1, 1, 11, 11, requires_grad=True)
    stack(image)[0, 0, 5, 5].backward()
    assert image.grad is not None
    reached = image.grad[0, 0] != 0
    assert reached[3:8, 3:8].all()
    assert int(reached.sum()) == 25
