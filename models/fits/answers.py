"""The answers that the fits of a cross-validation gave for the rows they had not learned from, put together."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from models import spreadsheet
from models.data import DataSet
from models.fits.scoring import targets_of
from models.ragged import joined
from models.run import ProducedFile
from models.splits import Rows
from models.tasks import TASKS
from shapes.tokens import NO_TARGET


class PooledAnswers(NamedTuple):
    """One entry for each answer (N,): with leave_p_out a row is held out, and answered, many times."""

    folds: Rows
    """Counted from 1."""
    rows: Rows
    """Of the data set's training rows, counted from 0."""
    targets: NDArray[Any]
    answers: NDArray[Any]
    """Probabilities (N, K) or values (N,); of answers that vary in length, (N, L), padded as the targets are."""

    @classmethod
    def of(cls, dataset: DataSet, parts: Sequence[tuple[str, Rows]], answers: Sequence[NDArray[Any]]) -> Self:
        """Of the part that each fold held out, and the answers for it."""
        return cls(
            np.repeat(np.arange(1, len(parts) + 1), [len(rows) for _, rows in parts]),
            np.concatenate([rows for _, rows in parts]),
            joined([targets_of(dataset, part) for part in parts], NO_TARGET),
            joined(answers, NO_TARGET),
        )

    @property
    def num_rows(self) -> int:
        """How many different rows were held out."""
        return len(np.unique(self.rows))

    def write(self, path: Path, dataset: DataSet) -> ProducedFile:
        """Write them as CSV in the order of the rows: fold, target, answer, and what else the task says of one."""
        lines = [self._line(place, dataset) for place in np.argsort(self.rows, kind="stable")]
        spreadsheet.write(path, list(lines[0]), (list(line.values()) for line in lines))
        return ProducedFile(path.name, path, "text/csv")

    def _line(self, place: int, dataset: DataSet) -> dict[str, object]:
        task = TASKS[dataset.manifest["task"]]
        told = task.tabulated(self.targets[place], self.answers[place], dataset.labels)
        return {"row": int(self.rows[place]), "fold": int(self.folds[place]), **told}
