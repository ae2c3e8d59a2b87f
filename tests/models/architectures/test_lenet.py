import pytest
import torch

from models import registry
from models.errors import UnsuitableInput
from models.registry import Shape


@pytest.mark.parametrize(
    ("input_shape", "parameters"),
    [((1, 32, 32), 61706), ((1, 28, 28), 61706), ((3, 32, 32), 62006), ((1, 8, 8), 21386), ((3, 40, 64), 188726)],
)
def test_any_size_of_image_is_taken(input_shape: Shape, parameters: int) -> None:
    network = registry.get("lenet").configure({}).build(input_shape, 10)
    assert network(torch.zeros(2, *input_shape)).shape == (2, 10)
    assert sum(parameter.numel() for parameter in network.parameters()) == parameters


def test_28_by_28_is_padded_to_the_papers_32_by_32() -> None:
    lenet = registry.get("lenet").configure({})
    torch.manual_seed(0)
    small = lenet.build((1, 28, 28), 10).eval()
    torch.manual_seed(0)
    large = lenet.build((1, 32, 32), 10).eval()
    image = torch.randn(1, 1, 28, 28)
    padded = torch.nn.functional.pad(image, (2, 2, 2, 2))
    torch.testing.assert_close(small(image), large(padded))


def test_the_papers_activation_and_pooling_can_be_chosen() -> None:
    network = registry.get("lenet").configure({"activation": "tanh", "pooling": "average"}).build((1, 32, 32), 10)
    kinds = {type(module).__name__ for module in network.modules()}
    assert {"Tanh", "AvgPool2d"} <= kinds
    assert not {"ReLU", "MaxPool2d"} & kinds


@pytest.mark.parametrize("input_shape", [(1, 3, 28), (1, 28, 2), (30,)])
def test_an_input_it_cannot_take_is_refused_with_the_reason(input_shape: Shape) -> None:
    with pytest.raises(UnsuitableInput, match="lenet"):
        registry.get("lenet").configure({}).build(input_shape, 10)
