from pathlib import Path

import numpy as np
import pytest

from models.data import DataSet
from models.errors import UnsuitableData
from models.search.training import folds
from models.training.settings import Split
from tests.models.running import write_data_set

REQUEST = {"architecture": "mlp", "hyperparameters": {}, "training": {"epochs": 1}}


def test_folds_divide_the_rows_that_are_not_for_the_test(iris: Path) -> None:
    dataset = DataSet.open(iris)
    fits = folds(REQUEST, dataset, 4)
    parts = dataset.rows(Split())
    pool = sorted([*parts["train"][1], *parts["validation"][1]])
    held_out = [fit.parts["validation"][1] for fit in fits]
    assert sorted(np.concatenate(held_out)) == pool
    classes = dataset.row_classes("train")
    assert classes is not None
    for fit in fits:
        learned, chosen = fit.parts["train"][1], fit.parts["validation"][1]
        assert sorted([*learned, *chosen]) == pool
        assert np.bincount(classes[chosen]).tolist() == [10, 10, 10]
    assert [fit.name for fit in fits] == ["fold 1 of 4", "fold 2 of 4", "fold 3 of 4", "fold 4 of 4"]


def test_a_regression_is_divided_without_classes_and_always_alike(diabetes: Path) -> None:
    dataset = DataSet.open(diabetes)
    first, second = (folds(REQUEST, dataset, 3) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.parts["validation"][1].tolist() == other.parts["validation"][1].tolist()


def test_held_out_splits_of_the_data_sets_own_take_no_part(tmp_path: Path) -> None:
    rows = np.zeros((12, 2), np.float32), np.arange(12) % 2
    splits = {name: rows for name in ("train", "validation", "test")}
    dataset = DataSet.open(write_data_set(tmp_path / "own", splits, classes=["a", "b"]))
    fits = folds(REQUEST, dataset, 3)
    assert sorted(np.concatenate([fit.parts["validation"][1] for fit in fits])) == list(range(12))
    assert {source for fit in fits for source, _ in fit.parts.values()} == {"train"}


def test_too_few_rows_of_a_class_are_refused(iris: Path, tmp_path: Path) -> None:
    rows = np.zeros((10, 2), np.float32), np.array([0] * 8 + [1] * 2)
    dataset = DataSet.open(write_data_set(tmp_path / "few", {"train": rows}, classes=["a", "b"]))
    with pytest.raises(UnsuitableData, match="folds"):
        folds(REQUEST, dataset, 5)
