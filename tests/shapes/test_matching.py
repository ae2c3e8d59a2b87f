"""Which data sets a version can be asked about."""

from typing import Any

import pytest

from shapes.matching import unknown_classes, unlike

Json = dict[str, Any]
SIZE: Json = {"name": "size", "kind": "numeric"}
COLOUR: Json = {"name": "colour", "kind": "categorical", "categories": ["blue", "red"]}
NOTE: Json = {"name": "note", "kind": "numeric"}
IMAGE: Json = {"modality": "image", "input": {"dtype": "uint8", "shape": [1, 28, 28]}}


def table(*columns: Json, **given: Any) -> Json:
    return {"modality": "tabular", "input": {"dtype": "float32", "shape": [len(columns)], "columns": columns, **given}}


def series(*columns: Json, **given: Any) -> Json:
    described = table(*columns, **{"shape": [None, len(columns)], **given})
    return {**described, "modality": "series", "task": "forecasting"}


def text(unit: str) -> Json:
    return {"modality": "text", "input": {"dtype": "int64", "shape": [None], "tokenizer": {"unit": unit}}}


def texts(*shape: int | None) -> Json:
    return {"modality": "text", "input": {"dtype": "string", "shape": list(shape)}}


def without_columns(count: int) -> Json:
    return {"modality": "tabular", "input": {"dtype": "float32", "shape": [count]}}


FORECASTER = series(SIZE, shape=[12, 1], horizon=3)


@pytest.mark.parametrize(
    ("signature", "manifest"),
    [
        (table(SIZE, COLOUR), table({**COLOUR, "categories": ["green"]}, NOTE, SIZE)),
        (without_columns(2), table(SIZE, NOTE)),
        (IMAGE, {"modality": "image", "input": {"dtype": "uint8", "shape": [3, 9, 7]}}),
        (FORECASTER, series(NOTE, SIZE)),
        (text("characters"), texts()),
        (text("given"), texts(None)),
    ],
)
def test_what_fits_or_can_be_fitted_has_no_fault(signature: Json, manifest: Json) -> None:
    assert unlike(signature, manifest) is None


@pytest.mark.parametrize(
    ("signature", "manifest", "said"),
    [
        (table(SIZE, COLOUR), table(SIZE, NOTE), "lacks the column 'colour'"),
        (table(SIZE), table({**COLOUR, "name": "size"}), "has categorical values in the column 'size'"),
        (without_columns(3), table(SIZE, NOTE), "has 2 columns, and the model takes 3"),
        (without_columns(3), series(SIZE), "holds series data, and the model takes tabular data"),
        (series(SIZE, shape=[3, 1]), series(SIZE, shape=[4, 1]), "has rows of 4 steps, and the model takes 3"),
        (IMAGE, {**IMAGE, "input": {"dtype": "float32", "shape": [784]}}, "has inputs of float32"),
        (FORECASTER, {**series(SIZE), "task": "classification"}, "holds no series to forecast"),
        (FORECASTER, series(NOTE), "lacks the column 'size'"),
        (text("characters"), texts(None), "upload whole texts"),
        (text("given"), texts(), "upload tagged words"),
    ],
)
def test_what_does_not_fit_is_told(signature: Json, manifest: Json, said: str) -> None:
    fault = unlike(signature, manifest)
    assert fault is not None
    assert fault.startswith(said) or said in fault


def test_classes_that_the_model_does_not_know_are_named() -> None:
    assert unknown_classes(["b", "a"], ["a", "b", "c"]) is None
    assert unknown_classes(["a", "d"], ["a", "b"]) == "has classes that the model does not know: d; it knows a, b"
