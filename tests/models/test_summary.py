import pytest
import torch
from torch import Tensor, nn

from models import registry
from models.registry import Shape
from models.summary import layers, written

LENET = registry.get("lenet").configure({}).build((1, 32, 32), 10)


def test_layers_are_those_of_the_paper() -> None:
    rows = {row.name: row for row in layers(LENET, (1, 32, 32))}
    c1, c3, c5 = rows["features.0"], rows["features.3"], rows["classifier.0"]
    assert (c1.output_shape, c1.parameters, c1.multiply_adds) == ((6, 28, 28), 156, 28 * 28 * 6 * 25)
    assert (c3.output_shape, c3.parameters, c3.multiply_adds) == ((16, 10, 10), 2416, 100 * 16 * 6 * 25)
    assert (c5.output_shape, c5.parameters, c5.multiply_adds) == ((120,), 48120, 48000)


def test_the_table_ends_in_the_total() -> None:
    total = written(LENET, (1, 32, 32)).splitlines()[-1].split()
    assert total == ["total", "61,706", "416,520"]


@pytest.mark.parametrize(
    ("layer", "multiply_adds"),
    [
        (nn.Conv2d(4, 6, 3, stride=2, padding=1), 6 * 4 * 4 * 4 * 9),
        (nn.Conv2d(4, 6, 3, padding=2, dilation=2), 6 * 8 * 8 * 4 * 9),
        (nn.Conv2d(4, 4, 3, padding=1, groups=4), 4 * 8 * 8 * 9),
        (nn.ConvTranspose2d(4, 6, 2, stride=2), 4 * 8 * 8 * 6 * 4),
        (nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), 4 * 8 * 8 * 3 * 4),
        (nn.MaxPool2d(2), 0),
        (nn.AvgPool2d(2), 0),
        (nn.BatchNorm2d(4), 0),
        (nn.LocalResponseNorm(3), 0),
        (nn.ReLU(), 0),
    ],
    ids=lambda value: str(value) if isinstance(value, nn.Module) else "",
)
def test_products_that_are_summed_are_counted(layer: nn.Module, multiply_adds: int) -> None:
    (row,) = layers(nn.Sequential(layer), (4, 8, 8))
    assert row.multiply_adds == multiply_adds
    assert row.output_shape == tuple(layer.eval()(torch.zeros(1, 4, 8, 8)).shape[1:])


@pytest.mark.parametrize("layer", [nn.Conv2d(2, 3, 3, stride=2), nn.ConvTranspose2d(2, 3, 3, stride=2)])
def test_the_count_is_that_of_the_products_themselves(layer: nn.Conv2d | nn.ConvTranspose2d) -> None:
    """With inputs and kernels of ones, without a bias, every product is 1: their number is the sum of the outputs."""
    nn.init.ones_(layer.weight)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    (row,) = layers(nn.Sequential(layer), (2, 7, 7))
    outputs: Tensor = layer(torch.ones(1, 2, 7, 7))
    assert row.multiply_adds == float(outputs.detach().sum())


PUBLISHED = {
    "alexnet": 0.71e9, "vgg11": 7.61e9, "vgg13": 11.31e9, "vgg16": 15.47e9, "vgg19": 19.63e9, "resnet18": 1.81e9,
    "resnet34": 3.66e9, "resnet50": 4.09e9, "resnet101": 7.80e9, "resnet152": 11.51e9, "densenet121": 2.83e9,
    "densenet169": 3.36e9, "densenet201": 4.29e9, "mobilenet": 0.569e9,
}  # fmt: skip
"""Multiply-adds of the reference configurations, to the digits in which they are published."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_multiply_adds_of_the_references_are_the_published_ones(name: str) -> None:
    architecture, reference = next(
        (architecture, reference)
        for architecture in registry.architectures()
        for reference in architecture.references
        if reference.name == name
    )
    input_shape: Shape = reference.input
    with torch.device("meta"):
        network = architecture.configure(reference.hyperparameters).build(input_shape, reference.classes)
    rows = layers(network, input_shape)
    assert sum(row.multiply_adds for row in rows) == pytest.approx(PUBLISHED[name], rel=0.01)
    assert sum(row.parameters for row in rows) == reference.parameters
    assert rows[-1].output_shape == (reference.classes,)
