"""Arrays of pixels as pictures: images as they are, and masks of class indices in colours to look at."""

import colorsys
import io

import numpy as np
from PIL import Image

MAX_CLASSES = 256
GOLDEN_RATIO = 0.618034


def _colours() -> bytes:
    """Red, green and blue of each class: black for the first, then hues that lie far apart."""
    colours = [(0.0, 0.0, 0.0)]
    for index in range(MAX_CLASSES - 1):
        shade = 1 - 0.2 * (index // 8 % 3)
        colours.append(colorsys.hsv_to_rgb(index * GOLDEN_RATIO % 1, 0.75, shade))
    return bytes(round(255 * part) for colour in colours for part in colour)


COLOURS = _colours()


def as_image(pixels: np.ndarray) -> Image.Image:
    """Class indices, uint8 (H, W), as an image with a palette; or uint8 (C, H, W) as a grey or colour image."""
    if pixels.ndim == 2:
        mask = Image.fromarray(np.ascontiguousarray(pixels))
        mask.putpalette(COLOURS)
        return mask
    return Image.fromarray(np.ascontiguousarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)))


def to_png(pixels: np.ndarray) -> bytes:
    """The same as a PNG file. A mask's pixels are the class indices; its colours are for the eye."""
    buffer = io.BytesIO()
    as_image(pixels).save(buffer, "PNG")
    return buffer.getvalue()
