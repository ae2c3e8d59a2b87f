"""Layers as torch modules: the worked examples, and what is the same in other words."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from models.layers import module
from shapes.fitting import Shape
from shapes.network import read, walk
from tests.shapes.strategies import fitting_lists

IMAGE: Shape = (4, 9, 11)


def built(layer: dict[str, Any], image: Shape = IMAGE) -> nn.Module:
    (step,) = walk(read([layer]), image, 1)
    return module(step.layer, step)


def convolution(channels: int = 6, kernel: int = 3, **fields: Any) -> dict[str, Any]:
    return {"type": "convolution", "channels": channels, "kernel": kernel, **fields}


def with_weights(layer: nn.Module, weights: Tensor) -> nn.Module:
    layer.load_state_dict({"weight": weights})
    return layer


def test_7_by_7_under_a_3_by_3_kernel_with_stride_2_is_the_notes_example() -> None:
    image = torch.tensor(
        [
            [2, 3, 7, 4, 6, 2, 9],
            [6, 6, 9, 8, 7, 4, 3],
            [3, 4, 8, 3, 8, 9, 7],
            [7, 8, 3, 6, 6, 3, 4],
            [4, 2, 1, 8, 3, 4, 6],
            [3, 2, 4, 1, 9, 8, 3],
            [0, 1, 3, 9, 2, 1, 4],
        ]
    ).float()
    kernel = torch.tensor([[3, 4, 4], [1, 0, 2], [-1, 0, 3]]).float()
    layer = with_weights(built(convolution(1, stride=2, bias=False), (1, 7, 7)), kernel[None, None])
    assert layer(image[None, None])[0, 0].tolist() == [[91, 100, 88], [69, 91, 117], [44, 72, 74]]


def test_5_by_5_under_a_2_by_2_kernel_is_4_by_4() -> None:
    image = torch.arange(25.0).view(1, 1, 5, 5)
    layer = with_weights(built(convolution(1, 2, bias=False), (1, 5, 5)), torch.ones(1, 1, 2, 2))
    # 0 + 1 + 5 + 6 = 12 at the top left; four more with each step to the right, twenty with each step down.
    expected = [[12 + 4 * x + 20 * y for x in range(4)] for y in range(4)]
    assert layer(image)[0, 0].tolist() == expected


def test_a_transposed_convolution_is_the_transpose_of_the_convolution() -> None:
    image, small = torch.randn(1, 2, 7, 7), torch.randn(1, 3, 3, 3)
    weights = torch.randn(3, 2, 3, 3)
    forth = with_weights(built(convolution(3, stride=2, bias=False), (2, 7, 7)), weights)
    layer = {"type": "transposed_convolution", "channels": 2, "kernel": 3, "stride": 2, "bias": False}
    back = with_weights(built(layer, (3, 3, 3)), weights)
    torch.testing.assert_close((forth(image) * small).sum(), (image * back(small)).sum())


def test_a_grouped_convolution_is_one_convolution_for_each_part() -> None:
    x_NCHW = torch.randn(2, *IMAGE)
    grouped = built(convolution(6, groups=2, bias=False))
    weights = grouped.get_parameter("weight").detach()
    halves = [
        with_weights(built(convolution(3, bias=False), (2, 9, 11)), part)(x)
        for part, x in zip(weights.chunk(2), x_NCHW.chunk(2, dim=1), strict=True)
    ]
    torch.testing.assert_close(grouped(x_NCHW), torch.cat(halves, dim=1))


def test_a_dilated_convolution_is_one_with_zeros_between_its_weights() -> None:
    x_NCHW = torch.randn(2, *IMAGE)
    dilated = built(convolution(dilation=2, bias=False))
    spread = torch.zeros(6, 4, 5, 5)
    spread[:, :, ::2, ::2] = dilated.get_parameter("weight").detach()
    torch.testing.assert_close(dilated(x_NCHW), with_weights(built(convolution(6, 5, bias=False)), spread)(x_NCHW))


TILED = {"type": "tiled_convolution", "channels": 3, "kernel": 3}


@given(
    tiles=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    size=st.tuples(st.integers(3, 12), st.integers(3, 12)),
)
def test_each_position_of_a_tiled_convolution_has_the_kernel_whose_turn_it_is(
    tiles: int, stride: int, padding: int, size: tuple[int, int]
) -> None:
    image: Shape = (2, *size)
    x_NCHW = torch.randn(1, *image)
    window = {"stride": stride, "padding": padding}
    tiled = built({**TILED, **window, "tiles": tiles}, image)
    kernels = [kernel.state_dict() for kernel in tiled.get_submodule("kernels").children()]
    plain = built(convolution(3, **window), image)
    y_NCHW = tiled(x_NCHW)
    for place, kernel in enumerate(kernels):
        plain.load_state_dict(kernel)
        at = (..., slice(place // tiles, None, tiles), slice(place % tiles, None, tiles))
        torch.testing.assert_close(y_NCHW[at], plain(x_NCHW)[at])


def test_a_tiled_convolution_of_one_kernel_is_a_convolution() -> None:
    x_NCHW = torch.randn(2, *IMAGE)
    tiled = built({**TILED, "tiles": 1, "padding": 1})
    plain = built(convolution(3, padding=1))
    plain.load_state_dict(tiled.get_submodule("kernels.0").state_dict())
    torch.testing.assert_close(tiled(x_NCHW), plain(x_NCHW))


@pytest.mark.parametrize(
    ("layer", "step"),
    [
        (convolution(padding=1), 1),
        (convolution(padding=2, dilation=2, groups=2), 1),
        ({**TILED, "tiles": 2, "padding": 1}, 2),
        ({"type": "pooling", "kernel": 3, "stride": 1, "padding": 1}, 1),
        ({"type": "pooling", "mode": "average", "kernel": 2}, 2),
    ],
    ids=["convolution", "dilated", "tiled", "max", "average"],
)
@settings(max_examples=20)
@given(turns=st.tuples(st.integers(-2, 2), st.integers(-2, 2)), seed=st.integers(0, 99))
def test_what_is_moved_in_the_input_moves_alike_in_the_output(
    layer: dict[str, Any], step: int, turns: tuple[int, int], seed: int
) -> None:
    """Translation equivariance, up to the period of a tile or stride, of what is not at the border."""
    x_NCHW = torch.zeros(1, 4, 16, 16)
    x_NCHW[:, :, 6:10, 6:10] = torch.rand(4, 4, 4, generator=torch.Generator().manual_seed(seed))
    shift = tuple(turn * step for turn in turns)
    network = built({**layer, "bias": False} if "channels" in layer else layer, (4, 16, 16))
    stride = 16 // network(x_NCHW).shape[2]
    moved = network(x_NCHW.roll(shift, dims=(2, 3)))
    torch.testing.assert_close(moved, network(x_NCHW).roll([each // stride for each in shift], dims=(2, 3)))


@given(channels=st.integers(1, 5), kernel=st.integers(1, 3), sides=st.tuples(st.integers(3, 40), st.integers(3, 40)))
def test_a_convolutions_parameters_are_shared_by_all_positions(
    channels: int, kernel: int, sides: tuple[int, int]
) -> None:
    layer = built(convolution(channels, kernel), (2, *sides))
    assert sum(parameter.numel() for parameter in layer.parameters()) == channels * (2 * kernel**2 + 1)


def test_one_weight_acts_on_every_position() -> None:
    layer = built(convolution(1, 2, bias=False), (1, 5, 5))
    weights = layer.get_parameter("weight")
    before = layer(torch.ones(1, 1, 5, 5))
    with torch.no_grad():
        weights[0, 0, 1, 0] += 1
    torch.testing.assert_close(layer(torch.ones(1, 1, 5, 5)) - before, torch.ones(1, 1, 4, 4))


@settings(max_examples=150, deadline=None)
@given(layers=fitting_lists(IMAGE))
def test_every_list_that_fits_makes_the_shapes_and_parameters_that_it_was_said_to(layers: list[dict[str, Any]]) -> None:
    outputs: list[Tensor] = []
    h = torch.randn(2, *IMAGE)
    for step in walk(read(layers), IMAGE, 10):
        layer = module(step.layer, step).eval()
        h = layer(h) if step.source is None else layer(h, outputs[step.source])
        outputs.append(h)
        assert tuple(h.shape[1:]) == step.output, step
        assert sum(parameter.numel() for parameter in layer.parameters()) == step.parameters, step
