import pytest
import torch
from torch import nn

from models.blocks import LocalResponseNorm, convolution, output_shape, overlapping_pooling


def test_local_response_normalisation_is_that_of_the_paper() -> None:
    """torch divides the paper's alpha by the number of channels."""
    x_NCHW = 10 * torch.randn(2, 12, 3, 4, generator=torch.Generator().manual_seed(0))
    theirs = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)
    torch.testing.assert_close(LocalResponseNorm()(x_NCHW), theirs(x_NCHW))


@pytest.mark.parametrize("side", [2, 3, 13, 27, 28, 55, 110])
def test_overlapping_pooling_halves_a_side_and_rounds_down(side: int) -> None:
    pooled = overlapping_pooling()(torch.zeros(1, 1, side, side))
    assert pooled.shape[2:] == (side // 2, side // 2)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "side"), [(1, 1, 9), (3, 1, 9), (7, 2, 5), (3, 2, 5)])
def test_a_convolution_keeps_the_size_but_for_its_stride(kernel: int, stride: int, side: int, batch_norm: bool) -> None:
    layers = convolution(4, 6, kernel, stride, batch_norm=batch_norm)
    assert layers(torch.zeros(2, 4, 9, 9)).shape == (2, 6, side, side)
    assert (layers[0].bias is None) == batch_norm


def test_the_shape_of_an_output_is_found_without_a_change_to_the_layers() -> None:
    layers = nn.Sequential(*convolution(3, 8, 3, 2), nn.ReLU(), nn.MaxPool2d(2))
    before = {name: tensor.clone() for name, tensor in layers.state_dict().items()}
    assert output_shape(layers, (3, 16, 20)) == (8, 4, 5)
    for name, tensor in layers.state_dict().items():
        assert torch.equal(tensor, before[name]), name
