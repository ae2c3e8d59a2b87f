import io

import numpy as np
import pytest
from PIL import Image

from services.pictures import COLOURS, MAX_CLASSES, sheet, to_png, to_png_quickly


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


@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 5, 7), (1, 1, 1), (3, 300, 200)])
def test_a_picture_that_is_made_quickly_has_the_same_pixels(shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    pixels[:, : shape[1] // 2] = 9
    quick, usual = (Image.open(io.BytesIO(file)) for file in (to_png_quickly(pixels), to_png(pixels)))
    quick.verify()  # every check sum
    assert (quick.mode, quick.size) == (usual.mode, usual.size)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(to_png_quickly(pixels)))), np.asarray(usual))


def test_a_sheet_is_nearly_square_unless_its_columns_are_named() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 4, 6), np.uint8)
    square = sheet(images)
    assert square.shape == (3, 2 * 4 + 2, 3 * 6 + 4)
    assert (square[:, :4, 8:14] == 1).all()
    assert (square[:, 6:, :6] == 3).all()
    assert (square[:, 4:6] == 255).all()
    assert (square[:, 6:, 16:] == 255).all()
    strip = sheet(images, columns=5)
    assert strip.shape == (3, 4, 5 * 6 + 4 * 2)
