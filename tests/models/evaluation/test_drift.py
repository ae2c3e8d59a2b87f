"""Rows that are alike have not drifted; rows that were moved are found, and so is how far."""

from typing import Any

import numpy as np
import pytest

from models.evaluation.drift import chart, compare_columns, psi, told_apart, verdict
from models.evaluation.evaluator import Column
from models.metrics import Array


def columns(generator: np.random.Generator, count: int, *, shift: float = 0.0) -> list[Column]:
    """Ten numbers, the first moved, and one category in three, the first of them more frequent with the shift."""
    numbers = generator.normal(size=(count, 10))
    numbers[:, 0] += shift
    first = min(0.3 + shift, 0.9)
    category = generator.choice(3, count, p=[first, (1 - first) / 2, (1 - first) / 2])
    return [
        *(Column(f"x{place}", numbers[:, place]) for place in range(10)),
        Column("colour", category, ("red", "green", "blue")),
    ]


def found(reference: list[Column], new: list[Column]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in compare_columns(reference, new)}


def test_rows_of_the_same_kind_seldom_drift() -> None:
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(60):
        entries = compare_columns(columns(generator, 400), columns(generator, 300))
        alarms += any(entry["drifted"] for entry in entries)
    assert alarms <= 8  # of 60, one in twenty by design


def test_the_same_rows_do_not_drift_at_all() -> None:
    rows = columns(np.random.default_rng(0), 200)
    entries = compare_columns(rows, rows)
    assert all(entry["p_value"] == 1.0 and entry["psi"] == pytest.approx(0) for entry in entries)
    assert verdict(entries, None)["drift"] == "none"


def test_what_was_moved_is_found_and_nothing_else() -> None:
    generator = np.random.default_rng(1)
    entries = found(columns(generator, 1000), columns(generator, 500, shift=0.6))
    assert {name for name, entry in entries.items() if entry["drifted"]} == {"x0", "colour"}
    assert entries["x0"]["psi"] > 0.25
    assert entries["x0"]["new"]["mean"] - entries["x0"]["reference"]["mean"] == pytest.approx(0.6, abs=0.15)
    assert entries["colour"]["reference"]["red"] < entries["colour"]["new"]["red"]
    said = verdict(list(entries.values()), None)
    assert said["drift"] == "large"
    assert "x0" in said["detail"]
    assert said["try"]


def test_the_index_is_its_formula() -> None:
    """Shares of 0.5 and 0.5 become 0.9 and 0.1, but for half a row in each bin."""
    expected = (0.9 - 0.5) * np.log(0.9 / 0.5) + (0.1 - 0.5) * np.log(0.1 / 0.5)
    assert psi(np.array([50_000, 50_000]), np.array([90_000, 10_000])) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("values", [(1.0, 0.0), (1.0, 2.0)])
def test_a_column_that_was_constant_is_seen_to_move_either_way(values: tuple[float, float]) -> None:
    entry = found([Column("x", np.full(100, values[0]))], [Column("x", np.full(80, values[1]))])["x"]
    assert entry["drifted"]
    assert entry["psi"] > 1


def test_values_that_go_missing_are_drift() -> None:
    generator = np.random.default_rng(2)
    reference, new = generator.normal(size=300), generator.normal(size=300)
    new[:60] = np.nan
    entry = found([Column("x", reference)], [Column("x", new)])["x"]
    assert entry["drifted"]
    assert (entry["reference"]["missing"], entry["new"]["missing"]) == (0, 60)
    category = np.where(np.arange(300) % 5 == 0, np.nan, 0.0)
    missing = found([Column("c", np.zeros(300), ("a",))], [Column("c", category, ("a",))])["c"]
    assert missing["drifted"]
    assert missing["new"] == {"a": pytest.approx(0.8), "(missing or unknown)": pytest.approx(0.2)}


def test_a_column_of_nothing_but_missing_values_is_no_error() -> None:
    entry = found([Column("x", np.full(30, np.nan))], [Column("x", np.full(30, np.nan))])["x"]
    assert (entry["p_value"], entry["drifted"], entry["reference"]["mean"]) == (1.0, False, None)


def test_a_forest_tells_apart_what_no_column_shows() -> None:
    """In each column both are normal; only together do they differ: equal signs have become opposite ones."""
    generator = np.random.default_rng(3)

    def correlated(sign: float) -> Array:
        first = generator.normal(size=400)
        return np.stack([first, sign * first + 0.1 * generator.normal(size=400)], axis=1)

    alike = told_apart(correlated(1), correlated(1), 1)
    different = told_apart(correlated(1), correlated(-1), 1)
    assert alike is not None
    assert different is not None
    assert alike["interval"][0] < 0.5 < 0.9 < different["interval"][0]
    assert verdict([], different)["drift"] == "large"
    assert verdict([], alike)["drift"] == "none"


def test_too_few_rows_or_too_many_columns_are_not_told_apart() -> None:
    assert told_apart(np.zeros((10, 2)), np.zeros((500, 2)), 1) is None
    assert told_apart(np.zeros((50, 501)), np.zeros((50, 501)), 1) is None


def test_the_figure_has_what_moved_most_on_top() -> None:
    generator = np.random.default_rng(4)
    entries = compare_columns(columns(generator, 500), columns(generator, 500, shift=1.0))
    (series,) = chart(entries).series
    assert series.y[0] in ("x0 *", "colour *")
    assert list(series.x) == sorted(map(float, series.x), reverse=True)
