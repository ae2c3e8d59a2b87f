"""What the tables are made of: columns and cells. All text is escaped."""

import json
from typing import Literal

from rich.table import Table
from rich.text import Text

from client.terminal import escape

_STATE_STYLES = {
    "succeeded": "green",
    "ready": "green",
    "failed": "red",
    "cancelled": "yellow",
    "running": "cyan",
    "ingesting": "cyan",
}


def table(*headings: str) -> Table:
    """A table without rules; a heading that begins with `>` makes its column right-aligned."""
    drawn = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for heading in headings:
        justify: Literal["left", "right"] = "right" if heading.startswith(">") else "left"
        title = heading.removeprefix(">")
        # What is copied from the screen into the next command stays in one piece.
        drawn.add_column(Text(title), justify=justify, overflow="fold", no_wrap=title in {"ID", "NAME"})
    return drawn


def text(value: object) -> Text:
    """A value as a cell."""
    return Text(escape(compact(value)))


def state(name: object) -> Text:
    """A state in its colour."""
    return Text(escape(name), style=_STATE_STYLES.get(str(name), ""))


def number(value: object) -> str:
    """Four significant digits; integers in full."""
    return f"{value:.4g}" if isinstance(value, float) else compact(value)


def byte_size(size: int | None) -> str:
    """`12.3 MB`, in powers of 1000; empty when unknown."""
    if size is None:
        return ""
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def moment(rfc3339: str | None) -> str:
    """`2026-11-23 14:31:02`, in UTC as the service sends it."""
    return escape(rfc3339 or "")[:19].replace("T", " ")


def compact(value: object) -> str:
    """Text as it is, anything else as JSON; nothing for None."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
