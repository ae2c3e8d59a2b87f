"""What jobs and models come to, drawn for a terminal: metrics, curves, predictions. All text is escaped."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from client import cells
from client.terminal import escape

Json = dict[str, Any]
_BAR = "█"


def metrics(columns: Mapping[str, Mapping[str, Any]]) -> Table:
    """Metrics side by side, a column each: `metrics({"test": {...}, "random baseline": {...}})`.

    Beside a metric stands its 95 % confidence interval, if the column has `intervals`.
    """
    table = cells.table("METRIC", *(f">{name.upper()}" for name in columns))
    first = next(iter(columns.values()), {})
    for name, value in first.items():
        if isinstance(value, int | float):
            table.add_row(cells.text(name), *(Text(_with_interval(column, name)) for column in columns.values()))
    return table


def _with_interval(column: Mapping[str, Any], name: str) -> str:
    low, high = (column.get("intervals") or {}).get(name) or (None, None)
    value = cells.number(column.get(name))
    return value if low is None else f"{value} [{cells.number(low)}, {cells.number(high)}]"


def verdict(record: Mapping[str, Any]) -> Text:
    """A training's verdict in a line: whether the network fits, why, and what to try."""
    advice = "; ".join(map(str, record.get("try") or ()))
    line = f"{record.get('fit')}: {record.get('detail')}" + (f" Try {advice}." if advice else "")
    return Text.assemble(("verdict  ", "dim"), escape(line))


def baselines(items: Sequence[Json]) -> Table:
    """One line a baseline, the best first: its first metrics on each split, or why it has none."""
    splits: Json = next((item["metrics"] for item in items if item.get("metrics")), {})
    columns = [(split, name) for split, scores in splits.items() for name in _numbers(scores)[:2]]
    headings = (f">{split.upper()} {name.upper()}" for split, name in columns)
    table = cells.table("NAME", "FAMILY", *headings, ">SECONDS", "")
    for item in items:
        scores = [(item["metrics"].get(split) or {}, name) for split, name in columns]
        table.add_row(
            cells.text(item["name"]),
            cells.text(item["family"]),
            *(Text(_with_interval(column, name)) for column, name in scores),
            Text(cells.number(item["seconds"])),
            cells.text(item.get("error")),
        )
    return table


def _numbers(scores: Mapping[str, Any]) -> list[str]:
    return [name for name, value in scores.items() if isinstance(value, int | float)]


def standing(items: Sequence[Json]) -> Table:
    """One line a stored baseline that a model was compared with, the best first."""
    table = cells.table("BASELINE", "FAMILY", ">VALUE", ">DIFFERENCE", "METRIC", "JOB")
    for item in items:
        figures = (cells.number(item["value"]), f"{item['difference']:+.4f}")
        about = (f"{item['metric']} on {item['split']} rows", item["job"])
        table.add_row(*map(cells.text, (item["name"], item["family"])), *map(Text, figures), *map(cells.text, about))
    return table


_VERDICT_STYLES = {"good": "green", "suspicious": "yellow", "bad": "red"}


def checks(items: Sequence[Json]) -> Table:
    """One line a check of a diagnosis: its verdict, what that rests on, and what to try."""
    table = cells.table("CHECK", "VERDICT", "FOUND", "TRY")
    for item in items:
        verdict = str(item["verdict"])
        table.add_row(
            cells.text(item["check"]),
            Text(escape(verdict.replace("_", " ")), style=_VERDICT_STYLES.get(verdict, "dim")),
            cells.text(item["detail"]),
            cells.text("; ".join(map(str, item.get("try") or ()))),
        )
    return table


def estimates(metrics: Mapping[str, Json]) -> Table:
    """One line a metric of several trainings: its mean, deviation and 95 % confidence interval."""
    table = cells.table("METRIC", ">MEAN", ">STD", ">FROM", ">TO")
    for name, estimate in metrics.items():
        figures = (estimate["mean"], estimate["std"], *(estimate["interval"] or (None, None)))
        table.add_row(cells.text(name), *(Text(cells.number(figure)) for figure in figures))
    return table


def curves(points: Sequence[Any], metrics: Mapping[str, Json]) -> Table:
    """One line a point of a curve: the means of the first two metrics on training and validation rows."""
    columns = [(name, part) for name in list(metrics)[:2] for part in ("train", "validation")]
    table = cells.table("AT", *(f">{name.upper()} {part.upper()}" for name, part in columns))
    for place, point in enumerate(points):
        means = (metrics[name][part]["mean"][place] for name, part in columns)
        table.add_row(cells.text(point), *(Text(cells.number(mean)) for mean in means))
    return table


def series(points_by_name: Mapping[str, Sequence[tuple[int, float]]]) -> Table:
    """One line a metric series: how many points, where it began, its best and where it is now."""
    table = cells.table("SERIES", ">POINTS", ">FIRST", ">LOWEST", ">HIGHEST", ">LAST")
    for name, points in points_by_name.items():
        values = [value for _, value in points]
        if values:
            figures = (values[0], min(values), max(values), values[-1])
            table.add_row(cells.text(name), Text(str(len(points))), *(Text(cells.number(figure)) for figure in figures))
    return table


def predictions(items: Sequence[Json], *, width: int = 24) -> Table:
    """Labels with their probabilities, or their shares of a mask, as bars of at most `width`; or what is said."""
    amount = ">SHARE" if any("shares" in item for item in items) else ">PROBABILITY"
    table = cells.table(">INPUT", "PREDICTION", amount, "")
    for index, item in enumerate(items):
        candidates = _candidates(item)
        if not candidates:
            for place, line in enumerate(_said(item)):
                table.add_row(str(index) if place == 0 else "", cells.text(line), "", "")
        for rank, (label, share) in enumerate(candidates):
            table.add_row(
                str(index) if rank == 0 else "",
                cells.text(label),
                Text(f"{share:.2%}"),
                Text(_BAR * round(share * width), style="cyan" if rank == 0 else "dim"),
            )
    return table


def _candidates(item: Json) -> list[tuple[str, float]]:
    """Labels, the likeliest or largest first; none for a value."""
    if "shares" in item:
        return sorted(item["shares"].items(), key=lambda each: each[1], reverse=True)
    if "label" not in item:
        return []
    return [(each["label"], each.get("probability") or 0.0) for each in item.get("top_k") or [item]]


def _said(item: Json) -> list[str]:
    """A text, words with their labels, the steps to come and a line for each of their quantiles, or a number."""
    if "text" in item:
        return [str(item["text"])]
    if "forecast" in item:
        quantiles = [f"{level}: {_listed(values)}" for level, values in item.get("quantiles", {}).items()]
        return [_listed(item["forecast"]), *quantiles]
    if isinstance(item.get("tokens"), list):  # and not their number
        return [" ".join(f"{each['text']}/{each['label']}" for each in item["tokens"])]
    return [cells.number(next((item[name] for name in ("value", "log_probability", "score") if name in item), None))]


def _listed(values: Sequence[float]) -> str:
    return ", ".join(cells.number(value) for value in values)


def variants(items: Sequence[Json]) -> Table:
    """One line a variant of a version: whether it was kept, what it gains and what it loses."""
    table = cells.table("VARIANT", "KEPT", ">SIZE", ">OF ORIGINAL", ">MS A ROW", ">ORIGINAL", ">LOSS", "REASON")
    for item in items:
        report = item.get("report") or {}
        sizes, times = report.get("bytes") or {}, (report.get("latency_ms") or {}).get("batch_1") or {}
        share = f"{sizes['variant'] / sizes['original']:.0%}" if sizes.get("original") else ""
        loss = (report.get("metrics") or {}).get("loss")
        table.add_row(
            cells.text(item["name"]),
            Text("yes" if item.get("accepted") else "no"),
            Text(cells.byte_size(sizes.get("variant"))),
            Text(share),
            Text(cells.number(times.get("variant"))),
            Text(cells.number(times.get("original"))),
            Text(cells.number(loss)),
            cells.text(item.get("reason")),
        )
    return table


def pictures(items: Sequence[Json]) -> Table:
    """One line a file of an explanation: its name and what it shows."""
    table = cells.table("NAME", "SHOWS")
    for item in items:
        table.add_row(cells.text(item["name"]), cells.text(item["shows"]))
    return table
