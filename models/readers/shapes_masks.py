"""`shapes_masks`: pictures drawn with a fixed seed whose every pixel has a known class, to learn segmentation from."""

import numpy as np

from models.masks import resized
from models.readers.mask_targets import mask_target
from models.readers.outlines import OUTLINES, turned
from models.readers.pixels import PixelFitter
from models.readers.source import Source
from models.readers.writer import Array, DatasetWriter, Description

CLASSES = ("background", "circle", "square", "triangle")
COUNT = 1000
SIDE = 48
_SEED = 0


def shapes_masks(source: Source, writer: DatasetWriter) -> Description:
    """1,000 grey images of 48 by 48 pixels with one or two shapes, and masks of what each pixel belongs to.

    A filled circle, square or triangle has a centre of U(10, 38) along either axis, a size of U(6, 12) pixels, and any
    turn; a later one lies over an earlier one. The ground is of U(0, 80), a shape brighter than that by U(60, 150), and
    each pixel is moved by N(0, 10²).
    """
    images, masks = drawn(COUNT, np.random.default_rng(_SEED))
    fitter = PixelFitter(source, SIDE, SIDE, channels=1, how="stretch")
    writer.inputs("train", np.uint8, (fitter.channels, *fitter.size)).append(fitter.fit(images[..., None]))
    writer.targets("train", np.uint8, fitter.size).append(resized(masks, fitter.size))
    return Description("image", "segmentation", list(CLASSES), fitter.described, mask_target(fitter.size))


def drawn(count: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Images and their masks, both uint8 (count, SIDE, SIDE)."""
    images = np.empty((count, SIDE, SIDE), np.uint8)
    masks = np.zeros((count, SIDE, SIDE), np.uint8)
    for image, mask in zip(images, masks, strict=True):
        ground = generator.uniform(0, 80)
        shades = np.full((SIDE, SIDE), ground)
        for _ in range(generator.integers(1, 3)):
            kind = int(generator.integers(1, len(CLASSES)))
            inside = _inside(kind, generator)
            shades[inside] = ground + generator.uniform(60, 150)
            mask[inside] = kind
        image[:] = (shades + generator.normal(0, 10, shades.shape)).round().clip(0, 255)
    return images, masks


def _inside(kind: int, generator: np.random.Generator) -> Array:
    """Which pixels (SIDE, SIDE) a shape of this class covers."""
    centre_x, centre_y = generator.uniform(10, SIDE - 10, 2)
    size, turn = generator.uniform(6, 12), generator.uniform(0, 2 * np.pi)
    pixel = np.arange(SIDE) + 0.5
    x, y = (pixel[None, :] - centre_x) / size, (pixel[:, None] - centre_y) / size
    return OUTLINES[CLASSES[kind]](*turned(x, y, turn)) < 0
