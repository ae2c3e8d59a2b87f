"""Pictures in rows on one sheet, each over a few lines of text."""

from math import ceil
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from models.explanation.pictures import FONT_SIZE, GAP, INK
from models.wording import shortened

SIDE = 128
LINE_HEIGHT = 16
MAX_COLUMNS = 5
MAX_CHARACTERS = 19
"""Of a line of text under one panel."""


class Tile(NamedTuple):
    """Panels side by side, and the lines of text under them."""

    panels: list[Image.Image]
    lines: list[str]


def contact_sheet(tiles: list[Tile], title: str) -> Image.Image:
    """All tiles have as many panels and lines. What is small is enlarged as far as its pixels stay whole."""
    panels = len(tiles[0].panels)
    columns = max(1, min(len(tiles), MAX_COLUMNS // panels))
    wide = panels * (SIDE + GAP)
    high = SIDE + GAP + LINE_HEIGHT * len(tiles[0].lines) + GAP
    top = LINE_HEIGHT + 2 * GAP
    sheet = Image.new("RGB", (columns * wide + GAP, ceil(len(tiles) / columns) * high + top), "white")
    draw = ImageDraw.Draw(sheet)
    draw.font = ImageFont.load_default(FONT_SIZE)
    draw.text((GAP, GAP), title, INK)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        left, upper = GAP + column * wide, top + row * high
        for number, panel in enumerate(tile.panels):
            sheet.paste(fitted(panel), (left + number * (SIDE + GAP), upper))
        for number, line in enumerate(tile.lines):
            text = shortened(line, panels * MAX_CHARACTERS)
            draw.text((left, upper + SIDE + 2 + number * LINE_HEIGHT), text, INK)
    return sheet


def fitted(picture: Image.Image) -> Image.Image:
    """At most `SIDE` pixels a side: enlarged by a whole number, without smoothing, or reduced."""
    factor = SIDE // max(picture.size)
    if factor >= 1:
        return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    reduced = picture.copy()
    reduced.thumbnail((SIDE, SIDE))
    return reduced
