from pathlib import Path

import numpy as np

from models.data import DataSet
from models.search.history import Record
from models.search.refit import Whole, plan_of
from models.training.settings import Split
from tests.models.running import write_data_set

FOUND = Record(0, "complete", {}, {}, [], {"best_epoch": 3}, warm=False)
REQUEST = {
    "architecture": "mlp",
    "hyperparameters": {},
    "training": {"epochs": 9, "early_stopping": {"patience": 2}, "l2": 1e-4},
}


def test_best_is_the_trials_own_plan(iris: Path) -> None:
    plan = plan_of("best", REQUEST, DataSet.open(iris), FOUND)
    assert plan.rows == {"train": 90, "validation": 30, "test": 30}
    assert plan.settings.epochs == 9


def test_all_learns_from_the_validation_rows_up_to_the_best_epoch(iris: Path) -> None:
    dataset = DataSet.open(iris)
    plan = plan_of("all", REQUEST, dataset, FOUND)
    assert plan.rows == {"train": 120, "test": 30}
    assert (plan.settings.epochs, plan.settings.early_stopping, plan.settings.l2) == (3, None, 1e-4)
    parts = dataset.rows(Split())
    assert plan.splits["train"].rows.tolist() == sorted([*parts["train"][1], *parts["validation"][1]])
    assert plan.splits["test"].rows.tolist() == parts["test"][1].tolist()


def test_a_validation_split_of_the_data_sets_own_is_learned_from_as_well(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)

    def rows(count: int) -> tuple[np.ndarray, np.ndarray]:
        return generator.normal(size=(count, 3)).astype(np.float32), np.arange(count) % 2

    splits = {"train": rows(20), "validation": rows(6)}
    dataset = DataSet.open(write_data_set(tmp_path / "own", splits, classes=["a", "b"]))
    plan = plan_of("all", REQUEST, dataset, FOUND)
    assert plan.rows == {"train": 22, "test": 4}
    inputs = np.concatenate([splits["train"][0], splits["validation"][0]])
    learned = plan.splits["train"]
    assert set(range(20, 26)) <= set(learned.rows.tolist())
    np.testing.assert_array_equal(next(learned.batches(100)).inputs.numpy(), inputs[learned.rows])
    assert Whole.of(dataset).targets("validation") is not None
