"""Previews of what is no picture: tables, texts, words with tags, trees and series."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services import previews
from services.errors import Invalid

TEXT = {"name": "text", "dtype": "string", "shape": []}
Arrays = dict[str, np.ndarray]


def ragged(name: str, rows: list[Any], dtype: type = np.uint8) -> Arrays:
    arrays: list[np.ndarray] = [
        np.frombuffer(row.encode(), dtype) if isinstance(row, str) else np.array(row, dtype) for row in rows
    ]
    offsets = np.cumsum([0, *map(len, arrays)])
    return {f"train.{name}": np.concatenate(arrays), f"train.{name}.offsets": offsets.astype(np.int64)}


def rows(directory: Path, arrays: Arrays, n: int = 16, **manifest: Any) -> list[dict[str, Any]]:
    for name, array in arrays.items():
        np.save(directory / f"{name}.npy", array)
    return previews.rows(directory, {"splits": {"train": {}}, "classes": None, "target": None, **manifest}, n)


def test_texts_are_shown_with_their_class(tmp_path: Path) -> None:
    arrays = ragged("inputs", ["déjà vu", "", "three"]) | {"train.targets": np.array([1, 0, 1])}
    label = {"name": "label", "dtype": "int64", "shape": []}
    found = rows(tmp_path, arrays, 2, input=TEXT, target=label, classes=["en", "fr"])
    assert found == [{"text": "déjà vu", "label": "fr"}, {"text": "", "label": "en"}]


def test_pairs_are_shown_side_by_side_and_long_text_is_cut_between_characters(tmp_path: Path) -> None:
    arrays = ragged("inputs", ["é" * 3000]) | ragged("targets", ["short"])
    (found,) = rows(tmp_path, arrays, input=TEXT, target=TEXT | {"name": "target"})
    assert found["target"] == "short"
    assert found["text"] == "é" * (previews.MAX_TEXT_BYTES // 2)


def test_words_are_shown_with_their_tags(tmp_path: Path) -> None:
    arrays = ragged("inputs", ["New York\nis"]) | ragged("targets", [[0, 1]], np.int64)
    described = {"name": "tokens", "dtype": "string", "shape": [None]}
    tags = {"name": "tags", "dtype": "int64", "shape": [None]}
    found = rows(tmp_path, arrays, input=described, target=tags, classes=["B-loc", "O"])
    assert found == [{"tokens": ["New York", "is"], "tags": ["B-loc", "O"]}]


def test_numbers_are_shown_as_they_were_given(tmp_path: Path) -> None:
    arrays = {"train.inputs": np.array([[0.3941]], np.float32), "train.targets": np.array([0.1], np.float32)}
    described = {"name": "features", "dtype": "float32", "shape": [1], "columns": [{"name": "x", "kind": "numeric"}]}
    target = {"name": "y", "dtype": "float32", "shape": []}
    assert rows(tmp_path, arrays, input=described, target=target) == [{"x": 0.3941, "y": 0.1}]


def test_series_are_shown_by_column_with_their_length(tmp_path: Path) -> None:
    long = [[step, np.nan] for step in range(300)]
    arrays = ragged("inputs", [[[1.5, 2.0]], long], np.float32)
    columns = [{"name": "sales", "kind": "numeric"}, {"name": "stock", "kind": "numeric"}]
    described = {"name": "series", "dtype": "float32", "shape": [None, 2], "columns": columns}
    first, second = rows(tmp_path, arrays, input=described)
    assert first == {"steps": 1, "sales": [1.5], "stock": [2.0]}
    assert (second["steps"], len(second["sales"]), second["stock"][0]) == (300, previews.MAX_ITEMS, None)


def test_rows_without_any_value_are_shown_empty(tmp_path: Path) -> None:
    assert rows(tmp_path, ragged("inputs", ["", ""]), input=TEXT) == [{"text": ""}, {"text": ""}]


@pytest.mark.parametrize("n", [0, 101])
def test_the_number_of_samples_is_bounded(tmp_path: Path, n: int) -> None:
    with pytest.raises(Invalid):
        rows(tmp_path, ragged("inputs", ["a"]), n, input=TEXT)
