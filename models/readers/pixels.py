"""The size and channels that a data set's images get, and bringing arrays of pixels to it."""

from typing import Any

import numpy as np
from PIL import Image

from models.readers.source import Source
from models.readers.writer import Array, image_input

MAX_COMMON_SIDE = 256
DEFAULT_SIZE = (64, 64)


def default_size(common: tuple[int, int] | None) -> tuple[int, int]:
    """(height, width) unless the user says otherwise: that of all images if it is common to them and at most
    256 a side, else 64 by 64."""
    return common if common is not None and max(common) <= MAX_COMMON_SIDE else DEFAULT_SIZE


class PixelFitter:
    """Brings equal arrays of pixels to the asked-for size and channels.

    Args:
        height, width, channels: Of the arrays as they come.
        how: Of a `FitImage`.
    """

    def __init__(self, source: Source, height: int, width: int, channels: int, how: str = "crop") -> None:
        self._fit_image = source.fit_image
        self.how = how
        self.channels = source.options.channels or channels
        self.size = source.options.image_size or default_size((height, width))
        self._is_fitted = self.size != (height, width)
        self._as_is = self.channels == channels and not self._is_fitted

    @property
    def described(self) -> dict[str, Any]:
        """The `input` of the data set."""
        return image_input(self.channels, self.size, self.how, fitted=self._is_fitted)

    def fit(self, batch: Array) -> Array:
        """uint8 (n, H, W, C) to uint8 (n, channels, *size)."""
        if self._as_is:
            return batch.transpose(0, 3, 1, 2)
        images = (Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item) for item in batch)
        return np.stack([self._fit_image(image, self.channels, self.size, self.how) for image in images])
