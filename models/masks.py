"""Masks: for each pixel of an image, the index of its class, in uint8. Shapes: N masks, height H, width W."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MAX_CLASSES = 256


def resized(masks_NHW: NDArray[Any], size: tuple[int, ...]) -> NDArray[Any]:
    """The masks at another size (height, width), by nearest neighbour: classes have no values between them."""
    if masks_NHW.shape[1:] == tuple(size):
        return masks_NHW
    height, width = size
    images = (Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST) for mask in masks_NHW)
    return np.stack([np.asarray(image) for image in images])
