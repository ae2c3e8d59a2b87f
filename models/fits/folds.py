"""How cross-validation divides rows: into folds by scikit-learn's own splitters, so that the indices are theirs.

Windows of series are divided by time.
Source: Stone 1974, Cross-validatory choice and assessment of statistical predictions; Kohavi 1995, A study of
cross-validation and bootstrap for accuracy estimation.
"""

from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.data import DataSet
from models.errors import UnsuitableData
from models.splits import Parts, Rows, hold_out
from models.training.settings import Split
from models.windows import Windows

Method = Literal["hold_out", "k_fold", "stratified_k_fold", "leave_one_out", "leave_p_out", "rolling_origin"]


class Fold(NamedTuple):
    """Rows to learn from and rows to be measured on."""

    train: Rows
    test: Rows


class Folding(NamedTuple):
    """A method with its options, of which each method takes its own."""

    method: Method
    folds: int
    """k_fold, stratified_k_fold, rolling_origin."""
    p: int
    """leave_p_out."""
    test_size: float
    """hold_out: the share of the rows that is held out, rounded up."""
    shuffle: bool
    """hold_out, k_fold, stratified_k_fold."""
    seed: int

    def divide(self, count: int, classes: NDArray[Any] | None) -> list[Fold]:
        """The folds of `count` rows; `classes` (count,) are for stratified_k_fold.

        Raises:
            UnsuitableData: there are too few rows, or too few of a class, or no classes to stratify by.
        """
        from sklearn import model_selection

        self._require(self.method != "rolling_origin", "rolling_origin divides by time, and is for series: use k_fold.")
        rows = np.arange(count)
        seed = self.seed if self.shuffle else None
        if self.method == "hold_out":
            self._require(count >= 3, f"{count} rows cannot be divided: hold_out needs 3 or more.")
            train, test = model_selection.train_test_split(
                rows, test_size=self.test_size, shuffle=self.shuffle, random_state=seed
            )
            return [Fold(train, test)]
        if self.method == "stratified_k_fold":
            self._require_every_class(classes)
            splitter = model_selection.StratifiedKFold(self.folds, shuffle=self.shuffle, random_state=seed)
        elif self.method == "k_fold":
            self._require(self.folds <= count, f"{count} rows are too few for {self.folds} `folds`: lower it.")
            splitter = model_selection.KFold(self.folds, shuffle=self.shuffle, random_state=seed)
        elif self.method == "leave_one_out":
            splitter = model_selection.LeaveOneOut()
        else:
            self._require(self.p < count, f"{count} rows are too few to leave {self.p} of them out: lower `p`.")
            splitter = model_selection.LeavePOut(self.p)
        return [Fold(train, test) for train, test in splitter.split(rows, classes)]

    def _require_every_class(self, classes: NDArray[Any] | None) -> None:
        if classes is None:
            raise UnsuitableData("stratified_k_fold divides classes, and this is a regression: use k_fold.")
        fewest = int(np.unique(classes, return_counts=True)[1].min())
        self._require(
            self.folds <= fewest,
            f"The smallest class has {fewest} rows, too few for one in each of {self.folds} `folds`: "
            "lower `folds`, or use k_fold.",
        )

    @staticmethod
    def _require(holds: bool, otherwise: str) -> None:
        if not holds:
            raise UnsuitableData(otherwise)


def rolling_origins(windows: Windows, number: int, split: Split) -> list[Parts]:
    """The parts of each fold of a cross-validation in time (Tashman 2000): `train`, `validation` if wanted, and `test`.

    Of each series the first of `number` + 1 stretches of one length is learned from and the second tested on, then the
    first two and the third, and so on. `split.validation` is the share of what is learned from that chooses the epoch.

    Raises:
        UnsuitableData: a part has no window.
    """
    kept = split.model_copy(update={"test": 0.0})
    ends = [place / (number + 1) for place in range(1, number + 2)]
    divided = (windows.divided(kept, begin) | {"test": windows.between(begin, end)} for begin, end in pairwise(ends))
    return [{name: ("train", rows) for name, rows in parts.items()} for parts in divided]


def training_parts(dataset: DataSet, rows: Rows, split: Split) -> Parts:
    """Some of the data set's training rows, divided as a train job divides all of them into `train` and `validation`.

    A validation split of the data set's own is taken as it is; `split.test` holds nothing out.

    Raises:
        UnsuitableData: there are too few rows to hold any out.
    """
    own = dataset.manifest["splits"]
    classes = dataset.row_classes("train")
    divided = hold_out(len(rows), None if classes is None else classes[rows], split, {"validation"} - own.keys())
    parts = {name: ("train", rows[places]) for name, places in divided.items()}
    if "validation" in own:
        parts["validation"] = ("validation", np.arange(own["validation"]["count"]))
    return parts
