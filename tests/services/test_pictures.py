import io

import numpy as np
import pytest
from PIL import Image

from services.pictures import COLOURS, MAX_CLASSES, to_png


def test_a_masks_pixels_are_its_classes_and_its_colours_tell_them_apart() -> None:
    mask = np.arange(MAX_CLASSES, dtype=np.uint8).reshape(16, 16)
    image = Image.open(io.BytesIO(to_png(mask)))
    np.testing.assert_array_equal(np.asarray(image), mask)
    colours = np.asarray(image.convert("RGB")).reshape(-1, 3)
    assert len(np.unique(colours, axis=0)) == MAX_CLASSES
    assert colours[0].tolist() == [0, 0, 0]
    near = np.abs(colours[:8, None].astype(int) - colours[None, :8]).sum(axis=2) + 999 * np.eye(8, dtype=int)
    assert near.min() > 60
    assert len(COLOURS) == 3 * MAX_CLASSES


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_itself(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (channels, 5, 7), np.uint8)
    image = Image.open(io.BytesIO(to_png(pixels)))
    np.testing.assert_array_equal(np.asarray(image).reshape(5, 7, channels), pixels.transpose(1, 2, 0))
