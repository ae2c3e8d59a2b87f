import pytest
import torch
from torch import nn

from models import registry
from models.architectures.googlenet import _Inception
from models.blocks import LocalResponseNorm
from models.summary import layers

INCEPTION_MAPS = [256, 480, 512, 512, 512, 528, 832, 832, 1024]


def googlenet(batch_norm: bool = False) -> nn.Module:
    with torch.device("meta"):
        return registry.get("googlenet").configure({"batch_norm": batch_norm}).build((3, 224, 224), 1000)


def inceptions(network: nn.Module) -> list[_Inception]:
    return [module for module in network.modules() if isinstance(module, _Inception)]


def test_the_modules_have_as_many_maps_as_in_the_papers_table() -> None:
    found = [
        sum(
            [layer for layer in branch.modules() if isinstance(layer, nn.Conv2d)][-1].out_channels
            for branch in module.branches
        )
        for module in inceptions(googlenet())
    ]
    assert found == INCEPTION_MAPS


def test_twenty_two_layers_with_weights_lie_along_the_longest_path() -> None:
    """Three convolutions in the stem, two in each of nine modules, one linear layer."""
    network = googlenet()
    outside = [
        name
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Conv2d | nn.Linear) and "branches" not in name
    ]
    longest = [
        max(sum(isinstance(layer, nn.Conv2d) for layer in branch.modules()) for branch in module.branches)
        for module in inceptions(network)
    ]
    assert len(outside) + sum(longest) == 22


def test_kernels_are_the_papers_and_convolutions_have_biases() -> None:
    convolutions = [layer for layer in googlenet().modules() if isinstance(layer, nn.Conv2d)]
    assert {layer.kernel_size for layer in convolutions} == {(1, 1), (3, 3), (5, 5), (7, 7)}
    assert all(layer.bias is not None for layer in convolutions)


def test_a_module_concatenates_its_branches() -> None:
    module = inceptions(registry.get("googlenet").configure({}).build((1, 28, 28), 10))[0].eval()
    x_NCHW = torch.randn(2, 192, 7, 7)
    parts = module(x_NCHW).split([64, 128, 32, 32], dim=1)
    for part, branch in zip(parts, module.branches, strict=True):
        torch.testing.assert_close(part, branch(x_NCHW))


@pytest.mark.parametrize(("batch_norm", "num_batch", "num_response"), [(False, 0, 2), (True, 57, 0)])
def test_batch_normalisation_replaces_biases_and_response_normalisation(
    batch_norm: bool, num_batch: int, num_response: int
) -> None:
    modules = list(googlenet(batch_norm).modules())
    assert sum(isinstance(module, nn.BatchNorm2d) for module in modules) == num_batch
    assert sum(isinstance(module, LocalResponseNorm) for module in modules) == num_response
    assert all((module.bias is None) == batch_norm for module in modules if isinstance(module, nn.Conv2d))


def test_sizes_are_those_of_the_papers_table() -> None:
    pools = [
        row.output_shape
        for row in layers(googlenet(), (3, 224, 224))
        if row.kind == "MaxPool2d" and "branches" not in row.name
    ]
    assert pools == [(64, 56, 56), (192, 28, 28), (480, 14, 14), (832, 7, 7)]
