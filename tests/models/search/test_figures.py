import json
import math
from pathlib import Path
from typing import Any

import plotly.io
import pytest
from PIL import Image

from models.search.figures import Figures, draw
from tests.models.search.studies import DROPOUT, LEARNING_RATE, history_of, record_of, request_of

Json = dict[str, Any]
ALL = ["history", "importance", "parallel_coordinates", "slice", "contour"]
HIDDEN: Json = {
    "path": "hyperparameters.hidden_dims",
    "kind": "choice",
    "choices": [[4], [8, 8], [{"long": "x" * 100}]],
    "when": [{"path": "architecture", "values": ["mlp"]}],
}
ARCHITECTURE: Json = {"path": "architecture", "kind": "choice", "choices": ["mlp", "logistic"]}


def trials(count: int, *dimensions: Json, **given: Any) -> list[Json]:
    """Trials over every kind of value; the accuracy depends on the learning rate alone."""
    paths = {dimension["path"] for dimension in dimensions}
    records = []
    for number in range(count):
        learning_rate = 10.0 ** -(1 + number * 7 % 10 * 0.3)
        parameters = {
            "architecture": ("mlp", "logistic")[number % 2],
            "training.optimizer.learning_rate": learning_rate,
            "hyperparameters.dropout": (0.0, 0.25, 0.5)[number % 3],
            "hyperparameters.hidden_dims": HIDDEN["choices"][number % 3],
        }
        if number % 2 and "architecture" in paths:
            del parameters["hyperparameters.hidden_dims"]
        parameters = {path: value for path, value in parameters.items() if path in paths}
        values = {"val_accuracy": 0.9 + math.log10(learning_rate) / 10, "parameters": 100.0 + number}
        records.append(record_of(number, parameters=parameters, values=values, **given))
    return records


def drawn(directory: Path, dimensions: list[Json], records: list[Json], **given: Any) -> Figures:
    return draw(history_of(request_of(dimensions=dimensions, **given), records), directory)


def names(figures: Figures) -> list[str]:
    """The figures, all of which a notebook can open and an image viewer too."""
    for file in figures.files:
        if file.name.endswith(".json"):
            figure = plotly.io.from_json(file.path.read_text())
            assert len(figure.data) > 0
        else:
            with Image.open(file.path) as picture:
                assert min(picture.size) > 200
                assert len(picture.convert("RGB").getcolors(10**6) or ()) > 20
    interactive = [file.name.removesuffix(".plotly.json") for file in figures.files if file.name.endswith(".json")]
    assert interactive == [file.name.removesuffix(".png") for file in figures.files if file.name.endswith(".png")]
    return interactive


def test_a_search_has_every_picture(tmp_path: Path) -> None:
    dimensions = [LEARNING_RATE, DROPOUT]
    records = trials(12, *dimensions)
    records[3] = {**records[3], "state": "failed", "values": None}
    records[5] = {**records[5], "state": "pruned", "intermediate": [[1, 0.3]]}
    figures = drawn(tmp_path, dimensions, records)
    assert names(figures) == ALL
    assert figures.missing == {}
    history = json.loads((tmp_path / "history.plotly.json").read_text())
    assert history["layout"]["yaxis"]["title"]["text"] == "val_accuracy"
    assert list(history["data"][0]["x"])[:4] == [0, 1, 2, 4]


def test_two_objectives_have_their_pareto_front(tmp_path: Path) -> None:
    objectives = [
        {"metric": "val_accuracy", "direction": "maximize"},
        {"metric": "parameters", "direction": "minimize"},
    ]
    dimensions = [LEARNING_RATE, DROPOUT]
    figures = drawn(tmp_path, dimensions, trials(12, *dimensions), objectives=objectives)
    assert names(figures) == [*ALL, "pareto"]


def test_conditional_parameters_are_drawn_where_they_can_be(tmp_path: Path) -> None:
    dimensions = [ARCHITECTURE, LEARNING_RATE, HIDDEN]
    figures = drawn(tmp_path, dimensions, trials(12, *dimensions), architecture=["mlp", "logistic"])
    assert names(figures) == ALL
    only = drawn(tmp_path, [HIDDEN], trials(12, ARCHITECTURE, HIDDEN)[::2])
    assert "contour" in only.missing


@pytest.mark.parametrize(
    ("count", "dimensions", "missing"),
    [
        (1, [LEARNING_RATE, DROPOUT], {"importance", "contour"}),
        (12, [LEARNING_RATE], {"contour"}),
        (12, [DROPOUT], {"contour"}),
        (12, [], {"importance", "parallel_coordinates", "slice", "contour"}),
        (0, [LEARNING_RATE, DROPOUT], set(ALL)),
    ],
    ids=["one trial", "one number", "one choice", "no parameter", "no trial"],
)
def test_what_cannot_be_drawn_is_left_out_with_its_reason(
    count: int, dimensions: list[Json], missing: set[str], tmp_path: Path
) -> None:
    figures = drawn(tmp_path, dimensions, trials(count, *dimensions))
    assert set(figures.missing) == missing
    assert all(figures.missing.values())
    assert names(figures) == [name for name in ALL if name not in missing]


def test_trials_that_failed_or_were_pruned_alone_give_no_picture(tmp_path: Path) -> None:
    dimensions = [LEARNING_RATE, DROPOUT]
    records = [*trials(4, *dimensions, intermediate=[[1, 0.1]]), record_of(4, "failed")]
    figures = drawn(tmp_path, dimensions, [{**record, "state": "pruned"} for record in records[:4]] + records[4:])
    assert figures.files == []
    assert set(figures.missing) == set(ALL)


def test_equal_values_of_all_trials_can_be_drawn(tmp_path: Path) -> None:
    dimensions = [LEARNING_RATE, DROPOUT]
    records = [{**record, "values": {"val_accuracy": 1.0}} for record in trials(12, *dimensions)]
    figures = drawn(tmp_path, dimensions, records)
    assert set(figures.missing) <= {"importance", "contour"}
    assert {"history", "slice", "parallel_coordinates"} <= set(names(figures))
