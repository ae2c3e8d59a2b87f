"""What a convolution is: the same few weights at every place, so that what moves in moves out.

Zeros beyond the border break this near it, and what is near it is everything after a few layers. So the networks
are tested on a torus, an image whose right side continues at its left and whose bottom at its top.
"""

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import pad

from models import registry

STRIDES = {"lenet": 4, "alexnet": 8, "zfnet": 8, "vgg": 32, "googlenet": 8, "resnet": 8, "densenet": 8, "mobilenet": 8}
"""By how many pixels an image has to move for the last maps to move by one, at the side below."""
SIDES = {"lenet": 12, "vgg": 64}
GLOBALLY_POOLED = ("googlenet", "resnet", "densenet", "mobilenet")


def on_a_torus(network: nn.Module) -> nn.Module:
    """The network with every padding taken from the opposite side of the image."""
    network = deepcopy(network)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            before = after = int(layer.padding[0])
            layer.padding = (0, 0)
        elif isinstance(layer, nn.MaxPool2d) and layer.kernel_size == 3:
            assert isinstance(layer.padding, int)
            assert isinstance(layer.stride, int)
            before, after = layer.padding, 3 - layer.stride - layer.padding
            layer.padding, layer.ceil_mode = 0, False
        else:
            continue
        layer.register_forward_pre_hook(
            lambda _, inputs, sides=(before, after): pad(inputs[0], (*sides, *sides), mode="circular")
        )
    return network


def moved(x_NCHW: Tensor, rows: int, columns: int) -> Tensor:
    return x_NCHW.roll((rows, columns), dims=(2, 3))


def small(name: str) -> tuple[nn.Module, Tensor]:
    """A network with running statistics of its own, in float64, and two images for it."""
    torch.manual_seed(0)
    side = SIDES.get(name, 32)
    network = registry.get(name).configure({}).build((1, side, side), 10)
    images = torch.randn(2, 1, side, side)
    with torch.no_grad():
        network(images)
    return on_a_torus(network.eval().double()), images.double()


@pytest.mark.parametrize("name", STRIDES)
def test_features_move_with_the_image(name: str) -> None:
    network, images = small(name)
    features = network.get_submodule("features").children()
    layers = nn.Sequential(*[layer for layer in features if not isinstance(layer, nn.Flatten)])
    with torch.inference_mode():
        before, after = layers(images), layers(moved(images, STRIDES[name], -STRIDES[name]))
    assert before.shape[2] == images.shape[2] // STRIDES[name] > 1
    assert before.std() > 1e-3
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, moved(before, 1, -1))


@pytest.mark.parametrize("name", STRIDES)
def test_the_answer_is_invariant_where_the_maps_are_averaged(name: str) -> None:
    network, images = small(name)
    with torch.inference_mode():
        before, after = network(images), network(moved(images, STRIDES[name], STRIDES[name]))
    assert torch.allclose(before, after) == (name in GLOBALLY_POOLED)


def test_a_dense_network_is_not_equivariant() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(36, 36)
    image = torch.randn(1, 1, 6, 6)
    answer, of_moved = (layer(x.flatten(1)).view(1, 1, 6, 6) for x in (image, moved(image, 1, 0)))
    assert not torch.allclose(moved(answer, 1, 0), of_moved, atol=0.1)


@settings(deadline=None, max_examples=50)
@given(
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 3),
    groups=st.sampled_from([1, 2]),
    places=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_inside_an_image_a_convolution_moves_by_its_stride(
    kernel: int, stride: int, groups: int, places: tuple[int, int]
) -> None:
    """Without any padding: the picture is framed by zeros wider than it moves."""
    torch.manual_seed(0)
    layer = nn.Conv2d(2, 4, kernel, stride, groups=groups).double()
    image = pad(torch.randn(1, 2, 6, 6).double(), (12, 12, 12, 12))
    rows, columns = places
    expected = moved(layer(image), rows, columns)
    torch.testing.assert_close(layer(moved(image, stride * rows, stride * columns)), expected)


@settings(deadline=None, max_examples=50)
@given(
    kernel=st.integers(1, 3), stride=st.integers(1, 2), padding=st.integers(0, 1), side=st.integers(3, 6),
    channels=st.integers(1, 2),
)  # fmt: skip
def test_a_convolution_is_a_dense_layer_with_shared_weights(
    kernel: int, stride: int, padding: int, side: int, channels: int
) -> None:
    """Its matrix has a row for each output, with the kernel's values, each once, and zeros elsewhere."""
    torch.manual_seed(0)
    layer = nn.Conv2d(channels, 1, kernel, stride, padding=padding, bias=False).double()
    basis = torch.eye(channels * side**2).double().view(-1, channels, side, side)
    with torch.inference_mode():
        matrix = layer(basis).flatten(1).T
        image = torch.randn(1, channels, side, side).double()
        torch.testing.assert_close(layer(image).flatten(1), image.flatten(1) @ matrix.T)
    shared = set(layer.weight.detach().flatten().tolist())
    for row in matrix.tolist():
        values = [value for value in row if value != 0]
        assert set(values) <= shared
        assert len(values) == len(set(values)) <= channels * kernel**2


def test_the_gradient_of_a_shared_weight_is_the_sum_over_the_places() -> None:
    torch.manual_seed(0)
    image = torch.randn(1, 1, 6, 6).double()
    upstream = torch.randn(1, 1, 4, 4).double()
    layer = nn.Conv2d(1, 1, 3, bias=False).double()
    layer(image).backward(upstream)
    windows = image[0, 0].unfold(0, 3, 1).unfold(1, 3, 1)
    assert layer.weight.grad is not None
    torch.testing.assert_close(layer.weight.grad[0, 0], torch.einsum("yx,yxij->ij", upstream[0, 0], windows))


@pytest.mark.parametrize("name", STRIDES)
def test_no_convolution_grows_with_the_image_and_a_dense_layer_does(name: str) -> None:
    def parameters(side: int, kind: type[nn.Module]) -> int:
        with torch.device("meta"):
            network = registry.get(name).configure({}).build((3, side, side), 10)
        layers = [layer for layer in network.modules() if isinstance(layer, kind)]
        return sum(parameter.numel() for layer in layers for parameter in layer.parameters())

    assert parameters(96, nn.Conv2d) == parameters(224, nn.Conv2d)
    assert (parameters(96, nn.Linear) == parameters(224, nn.Linear)) == (name in GLOBALLY_POOLED)
