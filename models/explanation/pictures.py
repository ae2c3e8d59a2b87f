"""Arrays laid out as pictures: pixels enlarged so that each can be seen, side by side or in a grid, with titles."""

from math import ceil
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.explanation.colours import NEGATIVE, POSITIVE, Pixels, diverging, sequential

PANEL_SIDE = 252
TILE_SIDE = 64
GAP = 8
TITLE_HEIGHT = 18
FONT_SIZE = 12
GRID_COLUMNS = 8
MAX_NAME = 32
INK = (31, 41, 51)
OVERLAY = 0.8
"""Of a heat map's strongest place: how much of the picture below it hides."""


def pixels_of(image_CHW: NDArray[Any]) -> Pixels:
    """A raw image, grey (1, H, W) or in colours (3, H, W), of values from 0 to 255."""
    levels = np.broadcast_to(image_CHW, (3, *image_CHW.shape[1:]))
    return levels.transpose(1, 2, 0).round().clip(0, 255).astype(np.uint8)


def heat_map(attribution_HW: NDArray[Any], *, signed: bool) -> tuple[Pixels, NDArray[Any]]:
    """An attribution in colours, and how strong each of its places is (H, W), from 0 to 1."""
    largest = float(np.abs(attribution_HW).max())
    coloured = diverging(attribution_HW, largest) if signed else sequential(attribution_HW, 0.0, largest)
    return coloured, np.abs(attribution_HW) / (largest or 1.0)


def overlaid(image: Pixels, coloured: Pixels, strength_HW: NDArray[Any]) -> Pixels:
    """A heat map over the grey of its image, as opaque as it is strong."""
    grey = image.mean(axis=-1, keepdims=True)
    alpha = OVERLAY * strength_HW[..., None]
    blended: Pixels = ((1 - alpha) * grey + alpha * coloured).round().astype(np.uint8)
    return blended


def side_by_side(panels: dict[str, Pixels], title: str) -> Image.Image:
    """Pictures of one size in a row, each under its name, and a title above them all."""
    images = [enlarged(pixels, PANEL_SIDE) for pixels in panels.values()]
    wide = images[0].width + GAP
    sheet, draw = _sheet(len(images) * wide + GAP, images[0].height + 2 * TITLE_HEIGHT + 2 * GAP)
    draw.text((GAP, GAP), title, INK)
    for place, (name, image) in enumerate(zip(panels, images, strict=True)):
        draw.text((GAP + place * wide, GAP + TITLE_HEIGHT), name, INK)
        sheet.paste(image, (GAP + place * wide, GAP + 2 * TITLE_HEIGHT))
    return sheet


def grid(tiles: list[Pixels], title: str, names: list[str] | None = None, side: int = TILE_SIDE) -> Image.Image:
    """Tiles of one size in rows of at most 8, enlarged to about `side` pixels, with their names above if they have."""
    images = [enlarged(tile, side) for tile in tiles]
    head = TITLE_HEIGHT if names else 0
    wide, high = images[0].width + GAP, images[0].height + GAP + head
    columns = min(GRID_COLUMNS, len(images))
    sheet, draw = _sheet(columns * wide + GAP, ceil(len(images) / columns) * high + GAP + TITLE_HEIGHT)
    draw.text((GAP, GAP), title, INK)
    for place, image in enumerate(images):
        row, column = divmod(place, columns)
        left, top = GAP + column * wide, GAP + TITLE_HEIGHT + row * high
        if names:
            draw.text((left, top), names[place], INK)
        sheet.paste(image, (left, top + head))
    return sheet


def stacked(sheets: list[Image.Image]) -> Image.Image:
    """Sheets below each other."""
    whole, _ = _sheet(max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets))
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def bars(values: dict[str, float], title: str) -> Image.Image:
    """Named values as bars from a common zero, the first on top: red to the right, blue to the left."""
    figure = Figure(figsize=(6.4, 1.0 + 0.25 * len(values)), layout="constrained")
    canvas, panel = FigureCanvasAgg(figure), figure.subplots()
    amounts = list(values.values())
    panel.barh(range(len(values)), amounts, color=[POSITIVE if amount > 0 else NEGATIVE for amount in amounts])
    # Names are the user's: a dollar sign in one must not begin a formula.
    panel.set_yticks(range(len(values)), [name[:MAX_NAME] for name in values], parse_math=False)
    panel.set_title(title, fontsize="medium", parse_math=False)
    panel.invert_yaxis()
    panel.axvline(0, color="black", linewidth=0.8)
    panel.grid(axis="x", alpha=0.25)
    canvas.draw()  # type: ignore[no-untyped-call]
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")  # type: ignore[no-untyped-call]


def enlarged(pixels: Pixels, side: int) -> Image.Image:
    """As many whole times larger as fits into `side`, without smoothing; what is larger stays as it is."""
    factor = max(1, side // max(pixels.shape[:2]))
    return Image.fromarray(np.ascontiguousarray(pixels.repeat(factor, axis=0).repeat(factor, axis=1)))


def _sheet(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.font = ImageFont.load_default(FONT_SIZE)
    return sheet, draw
