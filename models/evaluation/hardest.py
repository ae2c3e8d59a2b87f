"""The rows on which a version is most wrong, the worst first."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import torch
from PIL import Image

from models import spreadsheet
from models.data import DataSet
from models.evaluation.contact_sheet import Tile, contact_sheet
from models.evaluation.evaluator import Evaluator
from models.evaluation.exhibits import Exhibits
from models.examples import Examples
from models.explanation.pictures import pixels_of
from models.metrics import Array
from models.run import EncodePng
from shapes.decimals import shortest

Entry = dict[str, Any]


def hardest(losses_N: Array, count: int) -> Array:
    """The places of the `count` rows of the largest loss, the largest first, the first of equal ones first."""
    places: Array = np.argsort(-np.nan_to_num(losses_N, nan=np.inf, posinf=np.inf), kind="stable")[:count]
    return places


def describe(
    dataset: DataSet,
    examples: Examples,
    places: Array,
    evaluator: Evaluator,
    pairs: tuple[Array, Array],
    losses: Array,
) -> list[Entry]:
    """What there is to be said of the rows at these places; of a table's also `values`, by column.

    `pairs` are all targets and all answers. `row` is counted in the split, `source_row` in the data set's file.
    """
    inputs = examples.gather(torch.from_numpy(places)).inputs.numpy()
    entries = []
    for place, raw in zip(places, inputs, strict=True):
        entry: Entry = {"row": int(place), "source_row": int(examples.rows[place]), "loss": float(losses[place])}
        entry |= evaluator.describe(*(each[place] for each in pairs))
        if dataset.modality == "tabular":
            entry["values"] = _values(raw, dataset.input["columns"])
        entries.append(entry)
    return entries


def exhibit(entries: list[Entry], exhibits: Exhibits) -> None:
    """Keep them as `hardest.csv`, a column for each fact and, of a table, for each of its own."""
    columns = [spreadsheet.flat(entry) for entry in entries]
    rows = ([entry[name] for name in columns[0]] for entry in columns)
    exhibits.tabulate(
        "hardest", list(columns[0]), rows, f"the {len(entries)} rows of the largest loss, the largest first"
    )


def sheet(
    entries: list[Entry], examples: Examples, masks: tuple[Array, Array] | None, encode_png: EncodePng
) -> Image.Image:
    """The images of the rows, each over what is true, what was predicted and its loss; masks beside their images.

    `masks` are all true and all predicted ones, if the answers are masks.
    """
    tiles = []
    for entry in entries:
        place = entry["row"]
        panels = [Image.fromarray(pixels_of(examples.gather(torch.tensor([place])).inputs[0].numpy()))]
        panels += [coloured(each[place], encode_png) for each in masks or ()]
        tiles.append(Tile(panels, _caption(entry)))
    legend = "" if masks is None else ": image, true mask, predicted mask"
    return contact_sheet(tiles, f"Largest loss first{legend}")


def coloured(mask_HW: Array, encode_png: EncodePng) -> Image.Image:
    """A mask in the colours in which masks are shown."""
    return Image.open(BytesIO(encode_png(mask_HW.astype(np.uint8)))).convert("RGB")


def _caption(entry: Entry) -> list[str]:
    head = f"row {entry['row']}, loss {entry['loss']:.3g}"
    if "iou" in entry or "true" not in entry:
        return [head]
    if "probability" in entry:
        return [head, f"true {entry['true']}", f"predicted {entry['predicted']}, {entry['probability']:.0%}"]
    return [head, f"true {entry['true']:.4g}", f"predicted {entry['predicted']:.4g}"]


def _values(raw: Array, columns: list[Mapping[str, Any]]) -> Entry:
    """A table's row by the names of its columns, categories by theirs; None for what is missing."""
    return {column["name"]: _value(number, column) for column, number in zip(columns, raw, strict=True)}


def _value(number: np.floating, column: Mapping[str, Any]) -> str | float | None:
    if not np.isfinite(number):
        return None
    return str(column["categories"][int(number)]) if column["kind"] == "categorical" else shortest(number)
