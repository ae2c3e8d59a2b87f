from itertools import product
from typing import Any

import pytest

from shapes.search import Condition, Dimension, grid_point, grid_size


def choice(path: str, *choices: Any, when: Any = None) -> Dimension:
    return Dimension(path=path, kind="choice", choices=choices, when=when)


BATCH_SIZE = Dimension(path="training.batch_size", kind="int", low=10, high=100, step=20)


def points(dimensions: list[Dimension]) -> list[dict[str, Any]]:
    return [grid_point(dimensions, number) for number in range(grid_size(dimensions, 1000))]


def test_batch_sizes_10_to_100_by_20_are_5_runs() -> None:
    assert points([BATCH_SIZE]) == [{"training.batch_size": size} for size in (10, 30, 50, 70, 90)]


def test_the_last_dimension_varies_fastest() -> None:
    dimensions = [choice("a", "x", "y"), BATCH_SIZE, choice("b", None, [1, 2])]
    expected = [
        {"a": a, "training.batch_size": size, "b": b}
        for a, size, b in product(("x", "y"), (10, 30, 50, 70, 90), (None, [1, 2]))
    ]
    assert points(dimensions) == expected


def test_decimal_steps_have_no_binary_tails() -> None:
    dimension = Dimension(path="x", kind="float", low=0.1, high=0.55, step=0.1)
    assert [point["x"] for point in points([dimension])] == [0.1, 0.2, 0.3, 0.4, 0.5]


def test_whole_numbers_need_no_step() -> None:
    assert [point["x"] for point in points([Dimension(path="x", kind="int", low=2, high=4)])] == [2, 3, 4]


def test_a_dimension_is_there_only_where_its_conditions_hold() -> None:
    dimensions = [
        choice("architecture", "mlp", "lenet", "logistic"),
        choice("width", 8, 16, when={"path": "architecture", "values": ["mlp"]}),
        choice("depth", 1, 2, 3, when=[{"path": "width", "values": [16]}]),
        choice("dropout", 0.0, 0.5, when={"path": "architecture", "values": ["mlp", "lenet"]}),
    ]
    all_points = points(dimensions)
    assert len(all_points) == (1 + 3) * 2 + 2 + 1
    assert all_points[0] == {"architecture": "mlp", "width": 8, "dropout": 0.0}
    assert all_points[-1] == {"architecture": "logistic"}
    assert {"architecture": "mlp", "width": 16, "depth": 3, "dropout": 0.5} in all_points
    assert len({str(point) for point in all_points}) == len(all_points)
    assert all(("depth" in point) == (point.get("width") == 16) for point in all_points)


@pytest.mark.parametrize("number", [5, 1000])
def test_there_is_no_point_beyond_the_last(number: int) -> None:
    with pytest.raises(IndexError):
        grid_point([BATCH_SIZE], number)
    with pytest.raises(IndexError):
        grid_point([choice("a", 1, 2), choice("b", 1, when={"path": "a", "values": [1]})], number)


def test_a_grid_beyond_all_bounds_is_counted_only_as_far_as_the_limit() -> None:
    wide = [Dimension(path=f"x{place}", kind="int", low=0, high=10**9) for place in range(20)]
    assert grid_size(wide, 1000) > 1000
    chained = [
        Dimension(
            path=f"x{place}",
            kind="int",
            low=0,
            high=10**9,
            when=(Condition(path=f"x{place - 1}", values=(0,)),) if place else (),
        )
        for place in range(20)
    ]
    assert grid_size(chained, 1000) > 1000
    assert grid_point(wide, 7)["x19"] == 7


def test_infinitely_many_values_are_no_grid() -> None:
    with pytest.raises(ValueError, match=r"training.l2 .*step"):
        grid_size([Dimension(path="training.l2", kind="float", low=0.0, high=1.0)], 1000)
