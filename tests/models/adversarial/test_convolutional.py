import pytest
import torch
from torch import nn

from models.adversarial.convolutional import ConvolutionalConfig, Discriminator, Generator, stages


class Config(ConvolutionalConfig):
    """Small enough to be built in a moment."""


CONFIG = Config(code_dim=3, channels=4)


@pytest.mark.parametrize(
    ("size", "smallest", "count"),
    [((28, 28), (7, 7), 2), ((32, 32), (4, 4), 3), ((8, 8), (4, 4), 1), ((64, 96), (4, 6), 4), ((2, 5), (1, 2), 1)],
)
def test_sides_are_halved_while_they_are_eight_or_more(
    size: tuple[int, int], smallest: tuple[int, int], count: int
) -> None:
    sizes = stages((1, *size))
    assert (sizes[0], sizes[-1], len(sizes) - 1) == (size, smallest, count)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 8, 8), (2, 30, 45), (1, 2, 5), (3, 33, 17)])
def test_images_of_any_size_are_drawn_and_judged(shape: tuple[int, int, int]) -> None:
    images = Generator(CONFIG, shape, 0)(torch.randn(4, 3))
    assert images.shape == (4, *shape)
    assert Discriminator(CONFIG, shape, 0, "none")(images).shape == (4,)


def test_the_maps_are_those_of_the_paper() -> None:
    """Radford et al. 2016, figure 1: 1024 maps of 4×4, 512 of 8×8, 256 of 16×16, 128 of 32×32, 3 of 64×64."""
    with torch.device("meta"):
        generator = Generator(Config(code_dim=100, channels=128), (3, 64, 64), 0)
    assert generator.smallest == (1024, 4, 4)
    assert [layer.out_channels for layer in generator.layers if isinstance(layer, nn.ConvTranspose2d)] == [
        512,
        256,
        128,
        3,
    ]


def test_weights_are_drawn_as_in_the_paper() -> None:
    torch.manual_seed(0)
    config = Config(code_dim=64, channels=64)
    for network in (Generator(config, (1, 28, 28), 0), Discriminator(config, (1, 28, 28), 0, "batch")):
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.1)
            elif isinstance(layer, nn.BatchNorm2d):
                assert float(layer.weight.detach().mean()) == pytest.approx(1, abs=0.02)


def test_neither_the_image_nor_the_score_is_normalised_over_the_batch() -> None:
    discriminator = Discriminator(CONFIG, (1, 32, 32), 0, "batch")
    norms = [isinstance(layer, nn.BatchNorm2d) for layer in discriminator.modules()]
    assert sum(norms) == 2
    first = next(layer for layer in discriminator.layers if isinstance(layer, nn.Sequential))
    assert len(first) == 1
