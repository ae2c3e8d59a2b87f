from pathlib import Path

import numpy as np
import pytest

from models.baselines import contest as module
from models.baselines.contest import Contest
from models.data import DataSet
from models.training.settings import Split
from tests.models.running import DEFAULTS, write_data_set


def test_the_rows_are_those_that_a_train_job_holds_out(iris: Path) -> None:
    dataset = DataSet.open(iris)
    contest = Contest.of(dataset, DEFAULTS["baseline"], threads=1)
    for name, examples in dataset.divided(Split()).items():
        assert contest.splits[name].rows.tolist() == examples.rows.tolist()
    assert contest.measured == ["test", "validation"]


def test_a_sample_of_many_rows_has_every_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ROWS", 50)
    rows, targets = np.arange(600, dtype=np.float32)[:, None], np.zeros(600, np.int64)
    targets[:12] = 1
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (rows, targets)}, classes=["many", "few", "none"]))
    contest = Contest.of(dataset, DEFAULTS["baseline"], threads=1)
    sampled = contest.targets("train")[contest.learned_from]
    assert 50 <= len(sampled) <= 52
    assert set(sampled) == {0, 1}
    assert len(contest.inputs["train"]) == len(sampled)
