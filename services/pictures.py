"""Arrays of pixels as pictures: images as they are, several as a sheet, and masks of class indices in colours."""

import colorsys
import io
import math
import struct
import zlib

import numpy as np
from PIL import Image

MAX_CLASSES = 256
GOLDEN_RATIO = 0.618034
GAP_PIXELS = 2
WHITE = 255
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, COLOUR = 0, 2
"""Colour types of the PNG specification, table 11.1."""


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


def sheet(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images, uint8 (N, C, H, W), side by side as one, uint8 (C, H', W'), white between them.

    Left to right in rows of so many, by default so many that the sheet is nearly square.
    """
    n, channels, height, width = images.shape
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    cells = np.full((rows * columns, channels, height + GAP_PIXELS, width + GAP_PIXELS), WHITE, np.uint8)
    cells[:n, :, :height, :width] = images
    placed = cells.reshape(rows, columns, *cells.shape[1:]).transpose(2, 0, 3, 1, 4)
    return placed.reshape(channels, rows * cells.shape[2], -1)[:, :-GAP_PIXELS, :-GAP_PIXELS]


def to_png_quickly(pixels: np.ndarray) -> bytes:
    """An image, uint8 (C, H, W) with one channel or three, as a PNG file, in a third of the time that Pillow takes.

    No filters, and of zlib only run lengths: what a network has drawn is small and has noise in it, on which a search
    for repetitions is wasted. The bytes depend on zlib alone.
    """
    channels, height, width = pixels.shape
    lines = np.zeros((height, 1 + channels * width), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = pixels[0] if channels == 1 else pixels.transpose(1, 2, 0).reshape(height, -1)
    deflate = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    data = deflate.compress(lines.data) + deflate.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, GREY if channels == 1 else COLOUR, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return PNG_SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
