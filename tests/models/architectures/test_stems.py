"""What is left of an image before the classifier: the paper's size at 224×224, and no mere point at 28×28."""

import pytest
import torch
from torch import nn

from models import registry
from models.blocks import output_shape
from models.registry import Shape

SIDES = (224, 64, 63, 32, 28)
LEFT = {
    "alexnet": (256, (6, 1, 7, 4, 3)),
    "zfnet": (256, (6, 1, 7, 4, 3)),
    "vgg": (512, (7, 2, 2, 1, 1)),
    "googlenet": (1024, (7, 2, 7, 4, 3)),
    "resnet": (512, (7, 2, 8, 4, 4)),
    "densenet": (1024, (7, 2, 7, 4, 3)),
    "mobilenet": (1024, (7, 2, 8, 4, 4)),
}
"""Maps, and their sides for each of the sides of an image."""
CASES = [
    (name, (maps, left), side) for name, (maps, sides) in LEFT.items() for side, left in zip(SIDES, sides, strict=True)
]


def network(name: str, input_shape: Shape) -> nn.Module:
    with torch.device("meta"):
        return registry.get(name).configure({}).build(input_shape, 10)


@pytest.mark.parametrize(("name", "left", "side"), CASES, ids=[f"{name}-{side}" for name, _, side in CASES])
def test_an_image_is_reduced_as_documented(name: str, left: tuple[int, int], side: int) -> None:
    input_shape = (3, side, side)
    maps, left_side = left
    features = network(name, input_shape).get_submodule("features")
    assert output_shape(features, input_shape) == (maps, left_side, left_side)


@pytest.mark.parametrize("name", LEFT)
def test_the_narrower_side_decides_on_the_stem(name: str) -> None:
    convolutions = [
        next(layer for layer in network(name, input_shape).modules() if isinstance(layer, nn.Conv2d))
        for input_shape in ((3, 28, 224), (3, 224, 28), (3, 28, 28))
    ]
    assert len({(layer.kernel_size, layer.stride, layer.padding) for layer in convolutions}) == 1


@pytest.mark.parametrize("name", ["vgg", "resnet", "mobilenet"])
def test_the_width_multiplier_thins_every_convolution(name: str) -> None:
    def widths(multiplier: float) -> list[int]:
        with torch.device("meta"):
            thinned = registry.get(name).configure({"width_multiplier": multiplier}).build((3, 28, 28), 10)
        return [layer.out_channels for layer in thinned.modules() if isinstance(layer, nn.Conv2d)]

    assert widths(0.25) == [maps // 4 for maps in widths(1.0)]
