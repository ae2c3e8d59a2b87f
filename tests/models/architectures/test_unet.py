import pytest
import torch

from models import registry
from models.registry import Shape


@pytest.mark.parametrize("shape", [(1, 48, 48), (3, 45, 31), (1, 17, 100), (1, 1, 9)])
@pytest.mark.parametrize("depth", [2, 6])
def test_the_mask_has_the_images_size_whatever_it_is(shape: Shape, depth: int) -> None:
    network = registry.get("unet").configure({"depth": depth, "channels": 4}).build(shape, 5).eval()
    assert network(torch.zeros(2, *shape)).shape == (2, 5, *shape[1:])


def test_what_is_seen_from_afar_reaches_every_pixel() -> None:
    """Two 3×3 convolutions alone see two pixels far; through the smallest maps the network sees farther."""
    torch.manual_seed(0)
    network = registry.get("unet").configure({"depth": 3, "batch_norm": False, "channels": 4}).build((1, 32, 32), 2)
    image = torch.randn(1, 1, 32, 32, requires_grad=True)
    network(image)[0, 0, 16, 16].backward()
    assert image.grad is not None
    reached = image.grad[0, 0].nonzero()
    assert int(reached.amax() - reached.amin()) >= 16
