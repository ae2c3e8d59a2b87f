"""Pictures of a search by Optuna: each as Plotly's JSON, which a notebook opens, and as PNG.

They show the first objective, and of the Pareto front all. What cannot be drawn of a search is left out, with why.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import optuna

from models.run import ProducedFile
from models.search.findings import completed, importance
from models.search.history import History, Record
from models.search.space import Space

MAX_CONTOUR = 4
"""Parameters whose contours are drawn, each against each."""
MAX_PARETO = 3
"""Objectives that can be drawn at once."""


class Drawing(NamedTuple):
    """One picture to be drawn."""

    name: str
    function: str
    """In `optuna.visualization` and in `optuna.visualization.matplotlib`."""
    options: dict[str, Any]


class Figures(NamedTuple):
    """The pictures, and why those that are missing could not be drawn."""

    files: list[ProducedFile]
    missing: dict[str, str]


def draw(history: History, directory: Path) -> Figures:
    """Write `NAME.plotly.json` and `NAME.png` for every picture that can be drawn."""
    shown = _with_short_names(history)
    drawings, missing = _choose(shown)
    files = []
    for drawing in drawings:
        study = (shown if drawing.name == "pareto" else shown.of_first_objective()).study(warm=False)
        try:
            files += _draw(drawing, study, directory)
        except Exception as error:  # whatever it is, a picture must not cost the search its result
            missing[drawing.name] = f"could not be drawn: {error}"
    return Figures(files, missing)


def _choose(history: History) -> tuple[list[Drawing], dict[str, str]]:
    """What to draw, and why not the rest."""
    trials = completed(history)
    metrics = [objective.metric for objective in history.objectives]
    paths = [dimension.path for dimension in history.space.dimensions]
    known = [path for path in paths if any(path in _parameters(record) for record in trials)]
    common = [path for path in known if all(path in _parameters(record) for record in trials)]
    shares = importance(history)
    contrasted = [path for path in sorted(common, key=lambda path: -shares.get(path, 0)) if _varies(trials, path)]
    target = {"target_name": metrics[0]}
    wanted = [
        (Drawing("history", "plot_optimization_history", target), True, ""),
        (
            Drawing("importance", "plot_param_importances", target),
            bool(shares),
            "too few completed trials, or all are equally good",
        ),
        (
            Drawing("parallel_coordinates", "plot_parallel_coordinate", {**target, "params": common}),
            bool(common),
            "no parameter is in all completed trials",
        ),
        (
            Drawing("slice", "plot_slice", {**target, "params": known}),
            bool(known),
            "there are no parameters",
        ),
        (
            Drawing("contour", "plot_contour", {**target, "params": contrasted[:MAX_CONTOUR]}),
            len(contrasted) > 1,
            "no two parameters are in all completed trials with different values",
        ),
    ]
    if len(metrics) > 1:
        drawing = Drawing("pareto", "plot_pareto_front", {"target_names": metrics})
        wanted.append((drawing, len(metrics) <= MAX_PARETO, f"{len(metrics)} objectives are too many to be drawn"))
    if not trials:
        return [], {drawing.name: "no trial was trained to its end" for drawing, _, _ in wanted}
    return [drawing for drawing, can, _ in wanted if can], {
        drawing.name: why for drawing, can, why in wanted if not can
    }


def _draw(drawing: Drawing, study: optuna.Study, directory: Path) -> list[ProducedFile]:
    import matplotlib
    from matplotlib import pyplot
    from optuna import visualization

    interactive, picture = directory / f"{drawing.name}.plotly.json", directory / f"{drawing.name}.png"
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore")  # that the functions are experimental, and of axes of a single value
        figure = getattr(visualization, drawing.function)(study, **drawing.options)
        interactive.write_text(figure.to_json())
        matplotlib.use("agg")
        getattr(visualization.matplotlib, drawing.function)(study, **drawing.options)
        pyplot.gcf().savefig(picture, dpi=120, bbox_inches="tight")
        pyplot.close("all")
    return [
        ProducedFile(interactive.name, interactive, "application/json"),
        ProducedFile(picture.name, picture, "image/png"),
    ]


def _with_short_names(history: History) -> History:
    """The same with the last part of each path in its place, where no other path has the same."""
    paths = [dimension.path for dimension in history.space.dimensions]
    last = [path.rpartition(".")[2] for path in paths]
    names = {path: name if last.count(name) == 1 else path for path, name in zip(paths, last, strict=True)}
    dimensions = [
        dimension.model_copy(update={"path": names[dimension.path], "when": ()})
        for dimension in history.space.dimensions
    ]
    return replace(
        history,
        space=Space(tuple(dimensions)),
        records=tuple(_renamed(record, names) for record in history.records),
        warm=(),
    )


def _renamed(record: Record, names: Mapping[str, str]) -> Record:
    if record.parameters is None:
        return record
    return replace(
        record, parameters={names[path]: value for path, value in record.parameters.items() if path in names}
    )


def _parameters(record: Record) -> dict[str, Any]:
    return record.parameters or {}


def _varies(trials: Sequence[Record], path: str) -> bool:
    values = [_parameters(record)[path] for record in trials]
    return any(value != values[0] for value in values)
