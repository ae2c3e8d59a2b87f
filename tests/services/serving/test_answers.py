"""Outputs of a network in the terms of its task."""

import math
from typing import Any

import numpy as np
import pytest

from services.errors import Invalid
from services.serving.answers import name_answers, tempered
from tests.serving_models import image_signature, tabular_signature, tensors_signature

NAN, INF = math.nan, math.inf


def classes(*rows: list[float], top_k: int = 5) -> list[dict[str, Any]]:
    return name_answers(image_signature(), ["probabilities"], [np.array(rows, np.float32)], top_k)


def test_classes_come_by_probability() -> None:
    first, second = classes([0.25, 0.0, 0.75], [0.5, 0.25, 0.25])
    assert (first["label"], first["index"], first["probability"]) == ("bright", 2, 0.75)
    assert [entry["label"] for entry in first["top_k"]] == ["bright", "dark", "middle"]
    assert [entry["probability"] for entry in first["top_k"]] == [0.75, 0.25, 0.0]
    assert second["label"] == "dark"


def test_equal_probabilities_come_in_the_order_of_the_classes() -> None:
    (item,) = classes([0.4, 0.2, 0.4], top_k=2)
    assert [entry["label"] for entry in item["top_k"]] == ["dark", "bright"]


def test_a_temperature_flattens_probabilities_and_keeps_their_order() -> None:
    rows = np.array([[0.8, 0.2, 0.0], [0.5, 0.5, 0.0]], np.float32)
    flat = tempered(rows, 2.0)
    np.testing.assert_allclose(flat, [[2 / 3, 1 / 3, 0], [0.5, 0.5, 0]], atol=1e-6)
    np.testing.assert_allclose(tempered(rows, 1.0), rows, atol=1e-7)
    assert (tempered(rows, 0.05).argmax(axis=1) == rows.argmax(axis=1)).all()


@pytest.mark.parametrize(("top_k", "named"), [(1, 1), (3, 3), (1000, 3)])
def test_no_more_classes_are_named_than_there_are(top_k: int, named: int) -> None:
    (item,) = classes([0.25, 0.0, 0.75], top_k=top_k)
    assert len(item["top_k"]) == named


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_values_are_plain_numbers(shape: tuple[int, ...]) -> None:
    output = np.array([1.5, -2.0, 0.0], np.float32).reshape(shape)
    assert name_answers(tabular_signature(), ["value"], [output], 5) == [{"value": 1.5}, {"value": -2.0}, {"value": 0}]


def test_all_outputs_of_other_tasks_are_given_by_name_and_row() -> None:
    outputs = [np.array([[1.5, 2.5], [3.5, 4.5]], np.float32), np.array([1, 2]), np.array(["a", "b"], object)]
    assert name_answers(tensors_signature(), ["y", "ids", "words"], outputs, 5) == [
        {"outputs": {"y": [1.5, 2.5], "ids": 1, "words": "a"}},
        {"outputs": {"y": [3.5, 4.5], "ids": 2, "words": "b"}},
    ]


@pytest.mark.parametrize("wrong", [NAN, INF, -INF])
@pytest.mark.parametrize(
    ("signature", "row"),
    [(image_signature(), [0.5, 0.25, 0.25]), (tabular_signature(), [1.0]), (tensors_signature(), [1.0, 2.0])],
    ids=["classification", "regression", "tensors"],
)
def test_what_is_not_finite_is_refused_and_its_input_named(
    signature: dict[str, Any], row: list[float], wrong: float
) -> None:
    output = np.array([row, [*row[:-1], wrong], row], np.float32)
    with pytest.raises(Invalid) as failure:
        name_answers(signature, ["y"], [output], 5)
    assert failure.value.code == "prediction_not_finite"
    assert failure.value.errors[0]["loc"] == ["body", "inputs", 1]
