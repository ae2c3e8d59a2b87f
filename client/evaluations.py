"""What an evaluation tells beside the metrics, drawn for a terminal. All text is escaped."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from client import cells
from client.terminal import escape

Json = dict[str, Any]


def drawn(result: Mapping[str, Any]) -> Iterator[RenderableType]:
    """One after the other, what a result has: calibration, the hardest rows, drift, a comparison."""
    if calibrated := result.get("calibration"):
        yield calibration(calibrated)
    if rows := result.get("hardest"):
        yield hardest(rows)
    if drifted := result.get("drift"):
        if columns := drifted.get("columns"):
            yield drift(columns)
        yield verdict("drift", drifted["verdict"]["drift"], drifted["verdict"])
    if compared := result.get("comparison"):
        yield comparison(compared["metrics"])
        yield verdict("better", compared["verdict"]["better"], compared["verdict"])


def calibration(record: Mapping[str, Any]) -> Table:
    """One line a figure of calibration: as answered, and at the version's temperature."""
    temperature = record.get("temperature")
    at = "" if temperature is None else f">AT TEMPERATURE {cells.number(temperature)}"
    after = record.get("after")
    table = cells.table("CALIBRATION", ">AS ANSWERED", *([at] if after else []))
    for name, value in record["before"].items():
        figures = [value, *([after[name]] if after else [])]
        table.add_row(cells.text(name), *(Text(cells.number(figure)) for figure in figures))
    return table


def hardest(rows: Sequence[Json]) -> Table:
    """One line a row that the model is most wrong on, the worst first."""
    table = cells.table(">HARDEST ROW", ">LOSS", "TRUE", "PREDICTED", ">PROBABILITY")
    for row in rows:
        probability = row.get("probability")
        table.add_row(
            Text(str(row["row"])),
            Text(cells.number(row["loss"])),
            cells.text(_said(row.get("true"))),
            cells.text(_said(row.get("predicted"))),
            Text("" if probability is None else f"{probability:.2%}"),
        )
    return table


def drift(columns: Sequence[Json]) -> Table:
    """One line a column of the data or an output of the model: how far it has moved, and whether beyond chance."""
    table = cells.table("COLUMN", ">PSI", ">P-VALUE", "DRIFTED", ">IN TRAINING", ">NOW")
    for column in columns:
        table.add_row(
            cells.text(column["name"]),
            Text(cells.number(column["psi"])),
            Text(cells.number(column["adjusted_p_value"])),
            Text("yes" if column["drifted"] else "no"),
            *(cells.text(_summary(column[side])) for side in ("reference", "new")),
        )
    return table


def comparison(metrics: Mapping[str, Json]) -> Table:
    """One line a metric of two versions on the same rows, with the difference and its 95 % interval."""
    table = cells.table("METRIC", ">FIRST", ">SECOND", ">DIFFERENCE")
    for name, record in metrics.items():
        low, high = record["interval"] or (None, None)
        interval = "" if low is None else f" [{cells.number(low)}, {cells.number(high)}]"
        figures = (record["first"], record["second"], record["difference"])
        first, second, difference = map(cells.number, figures)
        table.add_row(cells.text(name), Text(first), Text(second), Text(difference + interval))
    return table


def verdict(heading: str, word: str, record: Mapping[str, Any]) -> Text:
    """A verdict in a line: its word, why, and what to try."""
    advice = "; ".join(map(str, record.get("try") or ()))
    line = f"{word}: {record['detail']}" + (f" Try: {advice}." if advice else "")
    return Text.assemble((f"{heading}  ", "dim"), escape(line))


def _said(value: object) -> str:
    """A label or a number; of shares by class, the largest."""
    if isinstance(value, dict):
        label = max(value, key=value.__getitem__)
        return f"{label} {value[label]:.0%}"
    return cells.number(value)


def _summary(side: Mapping[str, Any]) -> str:
    """The mean of a column of numbers, or the most frequent category with its share."""
    if side.keys() == {"mean", "std", "missing"}:
        return cells.number(side["mean"])
    return ", ".join(f"{name} {share:.0%}" for name, share in list(side.items())[:2])
