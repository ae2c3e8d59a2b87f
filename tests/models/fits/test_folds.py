from typing import Any

import numpy as np
import pytest
from sklearn import model_selection

from models.errors import UnsuitableData
from models.fits.folds import Folding

CLASSES = np.repeat([0, 1, 2], [20, 12, 8])
COUNT = len(CLASSES)
THEIRS: dict[str, Any] = {
    "k_fold": lambda seed: model_selection.KFold(4, shuffle=True, random_state=seed),
    "stratified_k_fold": lambda seed: model_selection.StratifiedKFold(4, shuffle=True, random_state=seed),
    "hold_out": lambda seed: model_selection.ShuffleSplit(1, test_size=0.3, random_state=seed),
    "leave_one_out": lambda seed: model_selection.LeaveOneOut(),
    "leave_p_out": lambda seed: model_selection.LeavePOut(2),
}


def folding(method: Any, **given: Any) -> Folding:
    options: dict[str, Any] = {"folds": 4, "p": 2, "test_size": 0.3, "shuffle": True, "seed": 0}
    return Folding(method=method, **{**options, **given})


@pytest.mark.parametrize("seed", [0, 7])
@pytest.mark.parametrize("method", THEIRS)
def test_the_indices_are_those_of_scikit_learn(method: str, seed: int) -> None:
    expected = list(THEIRS[method](seed).split(np.zeros((COUNT, 1)), CLASSES))
    found = folding(method, seed=seed).divide(COUNT, CLASSES)
    assert len(found) == len(expected)
    for fold, (train, test) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(fold.train, train)
        np.testing.assert_array_equal(fold.test, test)


def test_without_shuffling_the_rows_keep_their_order() -> None:
    first = folding("k_fold", shuffle=False).divide(COUNT, None)[0]
    assert first.test.tolist() == list(range(10))
    assert folding("hold_out", shuffle=False).divide(10, None)[0].test.tolist() == [7, 8, 9]


@pytest.mark.parametrize(
    ("method", "given", "classes", "remedy"),
    [
        ("k_fold", {"folds": COUNT + 1}, CLASSES, "folds"),
        ("stratified_k_fold", {"folds": 9}, CLASSES, "k_fold"),
        ("stratified_k_fold", {}, None, "k_fold"),
        ("leave_p_out", {"p": COUNT}, CLASSES, "`p`"),
    ],
)
def test_what_cannot_be_divided_is_refused_with_the_remedy(
    method: str, given: dict[str, Any], classes: Any, remedy: str
) -> None:
    with pytest.raises(UnsuitableData, match=remedy):
        folding(method, **given).divide(COUNT, classes)
