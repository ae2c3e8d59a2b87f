"""Figures open in a notebook and as pictures, whatever the names in them."""

import json
from pathlib import Path

import plotly.io
import pytest
from PIL import Image

from models.evaluation.charts import Chart, Figure, HeatMap, Series
from models.evaluation.drawing import draw, plotly_json

NAMES = ["_hidden", "$x^{2", "<b>bold</b>", "a name much longer than the room that there is for one"]
LINES = Chart(
    "of lines $", "x $", "y_", [Series(name, [0.0, 1.0], [0.0, 0.5]) for name in NAMES], (-0.1, 1.1), (0.0, 1.0)
)
WHISKERS = Chart("of whiskers", "x", "", [Series("d", [0.1, -0.2], NAMES[:2], "points", [0.0, -0.3], [0.2, -0.1])])
FIGURES: dict[str, Figure] = {
    "no series": Chart("of no series", "x", "y", []),
    "lines": LINES,
    "dashed": Chart(
        "c", "x", "y", [Series("p", [1.0], [2.0], "points"), Series("d", [0.0, 1.0], [0.0, 1.0], "dashed")]
    ),
    "bars": Chart("of bars", "x", "", [Series("b", [1.0] * 30, [str(place) for place in range(30)], "bars")]),
    "nothing": Chart("of nothing", "x", "", [Series("b", [], [], "bars")]),
    "whiskers": WHISKERS,
    "matrix": HeatMap("of counts", "predicted", "true", NAMES, [[1, 2, 3, 4]] * 4),
    "many": HeatMap("of many", "predicted", "true", [str(k) for k in range(70)], [[0] * 70] * 70),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_a_picture_and_opens_in_a_notebook(name: str, tmp_path: Path) -> None:
    interactive, picture = draw(FIGURES[name], name, tmp_path)
    assert (interactive.name, picture.name) == (f"{name}.plotly.json", f"{name}.png")
    figure = plotly.io.from_json(interactive.path.read_text())
    assert figure.layout.title.text == FIGURES[name].title
    with Image.open(picture.path) as opened:
        assert opened.format == "PNG"
        assert min(opened.size) > 300


def test_a_notebook_has_every_number() -> None:
    content = json.loads(plotly_json(LINES))
    assert [trace["name"] for trace in content["data"]] == NAMES
    assert content["data"][0]["y"] == [0.0, 0.5]
    assert content["layout"]["xaxis"]["range"] == [-0.1, 1.1]
    (whiskers,) = json.loads(plotly_json(WHISKERS))["data"]
    assert whiskers["error_x"]["array"] == pytest.approx([0.1, 0.1])
    (matrix,) = json.loads(plotly_json(FIGURES["matrix"]))["data"]
    assert (matrix["z"][0], matrix["x"]) == ([1, 2, 3, 4], NAMES)


def test_what_is_named_first_stands_on_top() -> None:
    for name in ("bars", "matrix"):
        assert json.loads(plotly_json(FIGURES[name]))["layout"]["yaxis"]["autorange"] == "reversed"
