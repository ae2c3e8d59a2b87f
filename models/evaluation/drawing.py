"""Figures as files: Plotly's JSON, which a notebook opens with `plotly.io.from_json`, and PNG by Matplotlib.

Both libraries are imported when something is drawn.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.evaluation.charts import Chart, Figure, HeatMap, Series
from models.run import ProducedFile
from models.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_LEGEND = 44
MAX_COUNTED = 20
"""Labels of a heat map up to which every cell has its number."""
MAX_NAMED = 60
COLOURS = ("#3b6fb6", "#d1495b", "#2e8b57", "#e09f3e", "#7b5ea7", "#5c6b73", "#00a6a6", "#b5651d", "#c2448f", "#8a9a5b")


def draw(figure: Figure, name: str, directory: Path) -> list[ProducedFile]:
    """Write `NAME.plotly.json` and `NAME.png`."""
    interactive, picture = directory / f"{name}.plotly.json", directory / f"{name}.png"
    interactive.write_text(plotly_json(figure))
    _write_png(figure, picture)
    return [
        ProducedFile(interactive.name, interactive, "application/json"),
        ProducedFile(picture.name, picture, "image/png"),
    ]


def plotly_json(figure: Figure) -> str:
    """A figure of Plotly's."""
    import plotly.graph_objects as go

    layout: dict[str, Any] = {
        "title": {"text": figure.title},
        "xaxis": {"title": {"text": figure.x_label}},
        "yaxis": {"title": {"text": figure.y_label}},
        "template": "plotly_white",
    }
    if isinstance(figure, HeatMap):
        trace = go.Heatmap(z=figure.values, x=figure.labels, y=figure.labels, colorscale="Blues")
        for axis in ("xaxis", "yaxis"):
            layout[axis]["type"] = "category"
        layout["yaxis"]["autorange"] = "reversed"
        return str(go.Figure(trace, layout).to_json())
    layout["xaxis"]["range"], layout["yaxis"]["range"] = figure.x_range, figure.y_range
    for axis, is_log in (("xaxis", figure.log_x), ("yaxis", figure.log_y)):
        if is_log:
            layout[axis]["type"] = "log"
    if any(_has_names(series) for series in figure.series):
        layout["yaxis"] |= {"type": "category", "autorange": "reversed"}
    traces = [_trace(series, COLOURS[place % len(COLOURS)]) for place, series in enumerate(figure.series)]
    return str(go.Figure(traces, layout).to_json())


def _trace(series: Series, colour: str) -> Any:
    import plotly.graph_objects as go

    common = {"x": list(series.x), "y": list(series.y), "name": series.name}
    if series.style == "bars":
        return go.Bar(**common, orientation="h", marker={"color": colour})
    if series.style == "points":
        error = None
        if series.low is not None and series.high is not None:
            below, above = _margins(series)
            error = {"type": "data", "symmetric": False, "array": above.tolist(), "arrayminus": below.tolist()}
        return go.Scatter(**common, mode="markers", error_x=error, marker={"color": colour})
    is_dashed = series.style == "dashed"
    line = {"color": "grey", "dash": "dash"} if is_dashed else {"color": colour}
    return go.Scatter(**common, mode="lines" if is_dashed else "lines+markers", line=line, marker={"size": 4})


def _write_png(figure: Figure, path: Path) -> None:
    from matplotlib.figure import Figure as Canvas

    rows = len(figure.labels) if isinstance(figure, HeatMap) else max(map(_num_names, figure.series), default=0)
    side = 5.2 if rows <= MAX_COUNTED else 9.0
    size = (side + 1.0, side) if isinstance(figure, HeatMap) else (6.4, max(4.4, 1.2 + 0.28 * rows))
    canvas = Canvas(figsize=size, layout="constrained")
    panel = canvas.subplots()
    # Names are the user's: a dollar sign in one must not begin a formula.
    panel.set_title(figure.title, fontsize="medium", parse_math=False)
    panel.set_xlabel(figure.x_label, parse_math=False)
    panel.set_ylabel(figure.y_label, parse_math=False)
    if isinstance(figure, HeatMap):
        _fill(panel, figure)
    else:
        _plot(panel, figure)
    canvas.savefig(path, dpi=120)


def _plot(panel: "Axes", chart: Chart) -> None:
    named = next((series for series in chart.series if _has_names(series)), None)
    drawn = [_artist(panel, series, COLOURS[place % len(COLOURS)]) for place, series in enumerate(chart.series)]
    if named is not None:
        panel.set_yticks(range(len(named.y)), [shortened(name) for name in named.y], parse_math=False)
        panel.invert_yaxis()
        if not chart.log_x:
            panel.axvline(0, color="black", linewidth=0.8)
    if chart.log_x:
        panel.set_xscale("log")
    if chart.log_y:
        panel.set_yscale("log")
    if chart.x_range is not None:
        panel.set_xlim(chart.x_range)
    if chart.y_range is not None:
        panel.set_ylim(chart.y_range)
    panel.grid(alpha=0.25)
    if len(drawn) > 1:
        # A label that begins with an underscore would be left out, so the names come after.
        legend = panel.legend(drawn, [str(place) for place in range(len(drawn))], fontsize="small")
        for text, series in zip(legend.get_texts(), chart.series, strict=True):
            text.set_parse_math(False)
            text.set_text(shortened(series.name, MAX_LEGEND))


def _artist(panel: "Axes", series: Series, colour: str) -> Any:
    places = np.arange(len(series.y)) if _has_names(series) else np.asarray(series.y)
    if series.style == "bars":
        return panel.barh(places, series.x, color=colour)
    if series.style == "points":
        if series.low is not None:
            return panel.errorbar(series.x, places, xerr=_margins(series), fmt="o", color=colour, capsize=3)
        return panel.scatter(series.x, places, s=10, alpha=0.6, color=colour)
    if series.style == "dashed":
        return panel.plot(series.x, places, "--", color="grey", linewidth=1)[0]
    return panel.plot(series.x, places, marker="o", markersize=2.5, color=colour)[0]


def _fill(panel: "Axes", heat_map: HeatMap) -> None:
    values, count = np.array(heat_map.values), len(heat_map.labels)
    panel.figure.colorbar(panel.imshow(values, cmap="Blues"))
    if count <= MAX_NAMED:
        names = [shortened(label) for label in heat_map.labels]
        panel.set_xticks(range(count), names, rotation=90, parse_math=False)
        panel.set_yticks(range(count), names, parse_math=False)
    if count <= MAX_COUNTED:
        for (row, column), value in np.ndenumerate(values):
            ink = "white" if value > values.max() / 2 else "black"
            panel.text(column, row, str(value), ha="center", va="center", fontsize="x-small", color=ink)


def _margins(series: Series) -> Any:
    """How far the intervals reach below and above x (2, N)."""
    x = np.asarray(series.x)
    return np.abs(np.stack([x - np.asarray(series.low), np.asarray(series.high) - x]))


def _has_names(series: Series) -> bool:
    return bool(len(series.y)) and isinstance(series.y[0], str)


def _num_names(series: Series) -> int:
    return len(series.y) if _has_names(series) else 0
