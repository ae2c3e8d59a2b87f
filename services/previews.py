"""The first samples of a data set, to look at: a grid of images or rows of a table."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from services.errors import Invalid
from services.pictures import as_image

MAX_SAMPLES = 100
GAP_PIXELS = 2
MAX_CELL_PIXELS = 128
Row = dict[str, Any]


def _open(directory: Path, manifest: dict[str, Any], n: int) -> tuple[np.ndarray, np.ndarray | None]:
    if not 1 <= n <= MAX_SAMPLES:
        raise Invalid.field("n_out_of_range", ["query", "n"], f"from 1 to {MAX_SAMPLES}")
    split = next(iter(manifest["splits"]))
    inputs = np.load(directory / f"{split}.inputs.npy", mmap_mode="r", allow_pickle=False)
    path = directory / f"{split}.targets.npy"
    targets = np.load(path, mmap_mode="r", allow_pickle=False) if path.exists() else None
    return inputs[:n], None if targets is None else targets[:n]


def grid(directory: Path, manifest: dict[str, Any], n: int) -> bytes:
    """The first `n` images of the first split as a PNG, left to right in rows, nearly square.

    An image with a mask has it to its right, a colour for each class. Images of more than `MAX_CELL_PIXELS` a side are
    scaled down.
    """
    images, targets = _open(directory, manifest, n)
    masks = targets if targets is not None and targets.ndim == 3 else [None] * len(images)
    cells = [_to_cell(pixels, mask) for pixels, mask in zip(images, masks, strict=True)]
    width, height = cells[0].width + GAP_PIXELS, cells[0].height + GAP_PIXELS
    num_columns = math.ceil(math.sqrt(len(cells)))
    num_rows = math.ceil(len(cells) / num_columns)
    sheet = Image.new(cells[0].mode, (num_columns * width - GAP_PIXELS, num_rows * height - GAP_PIXELS), "white")
    for index, cell in enumerate(cells):
        row, column = divmod(index, num_columns)
        sheet.paste(cell, (column * width, row * height))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _to_cell(pixels: np.ndarray, mask: np.ndarray | None) -> Image.Image:
    image = as_image(pixels)
    image.thumbnail((MAX_CELL_PIXELS, MAX_CELL_PIXELS))
    if mask is None:
        return image
    pair = Image.new("RGB", (2 * image.width, image.height))
    pair.paste(image, (0, 0))
    pair.paste(as_image(mask).resize(image.size, Image.Resampling.NEAREST), (image.width, 0))
    return pair


def rows(directory: Path, manifest: dict[str, Any], n: int) -> list[Row]:
    """The first `n` rows of the first split by column name, the target last; missing values are None."""
    values, targets = _open(directory, manifest, n)
    columns = manifest["input"]["columns"]
    found = [
        {column["name"]: _cell(value, column.get("categories")) for column, value in zip(columns, row, strict=True)}
        for row in values
    ]
    if targets is not None:
        name, classes = manifest["target"]["name"], manifest["classes"]
        for row, target in zip(found, targets, strict=True):
            row[name] = _cell(target, classes)
    return found


def _cell(value: np.generic, categories: list[str] | None) -> float | str | None:
    number = float(value)
    if math.isnan(number):
        return None
    return number if categories is None else categories[int(number)]
