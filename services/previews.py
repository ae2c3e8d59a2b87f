"""The first samples of a data set, to look at: a grid of images, rows of a table, or texts, trees and series."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from services.errors import Invalid
from services.pictures import as_image
from shapes.decimals import shortest

MAX_SAMPLES = 100
GAP_PIXELS = 2
MAX_CELL_PIXELS = 128
MAX_TEXT_BYTES = 2000
MAX_ITEMS = 200
"""Words of a sentence, or steps of a series, that are shown."""
Row = dict[str, Any]
Samples = np.ndarray | list[np.ndarray]
"""Of one shape, or each of its own length."""


def _open(directory: Path, manifest: dict[str, Any], n: int) -> tuple[Samples, Samples | None]:
    if not 1 <= n <= MAX_SAMPLES:
        raise Invalid.field("n_out_of_range", ["query", "n"], f"from 1 to {MAX_SAMPLES}")
    split = next(iter(manifest["splits"]))
    has_targets = (directory / f"{split}.targets.npy").exists()
    return _first(directory, f"{split}.inputs", n), _first(directory, f"{split}.targets", n) if has_targets else None


def _first(directory: Path, name: str, n: int) -> Samples:
    """The first `n` rows of an array; where each begins is in a file beside it if their length varies."""
    path = directory / f"{name}.offsets.npy"
    offsets = np.load(path, mmap_mode="r", allow_pickle=False)[: n + 1] if path.exists() else None
    if offsets is not None and not offsets[-1]:
        return [np.zeros(0)] * (len(offsets) - 1)  # An empty file cannot be mapped.
    values: np.ndarray = np.load(directory / f"{name}.npy", mmap_mode="r", allow_pickle=False)
    return values[:n] if offsets is None else np.split(values[: offsets[-1]], offsets[1:-1])


def grid(directory: Path, manifest: dict[str, Any], n: int) -> bytes:
    """The first `n` images of the first split as a PNG, left to right in rows, nearly square.

    An image with a mask has it to its right, a colour for each class. Images of more than `MAX_CELL_PIXELS` a side are
    scaled down.
    """
    images, targets = _open(directory, manifest, n)
    has_masks = isinstance(targets, np.ndarray) and targets.ndim == 3
    masks = targets if has_masks and targets is not None else [None] * len(images)
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
    """The first `n` samples of the first split, the target last; missing values are None.

    Of a table the values by column name; of a series the first values of each column; of long text the beginning.
    """
    inputs, targets = _open(directory, manifest, n)
    found = [_described(sample, manifest["input"], None) for sample in inputs]
    if targets is not None:
        for row, target in zip(found, targets, strict=True):
            row |= _described(target, manifest["target"], manifest["classes"])
    return found


def _described(sample: np.ndarray, description: dict[str, Any], classes: list[str] | None) -> Row:
    """One input or target as its description in the manifest says."""
    name, columns = description["name"], description.get("columns")
    if description["dtype"] == "string":
        text = sample[:MAX_TEXT_BYTES].tobytes().decode(errors="ignore")
        return {name: text.split("\n")[:MAX_ITEMS] if description["shape"] else text}
    if sample.ndim == 0:
        return {name: _cell(sample, classes)}
    if columns is None:
        return {name: [_cell(value, classes) for value in sample[:MAX_ITEMS]]}
    if sample.ndim == 1:
        pairs = zip(columns, sample, strict=True)
        return {column["name"]: _cell(value, column.get("categories")) for column, value in pairs}
    values = {
        column["name"]: [_cell(value, None) for value in sample[:MAX_ITEMS, at]] for at, column in enumerate(columns)
    }
    return {"steps": len(sample), **values}


def _cell(value: np.generic | np.ndarray, categories: list[str] | None) -> float | str | None:
    number = shortest(value)
    if math.isnan(number):
        return None
    return number if categories is None else categories[int(number)]
