"""How long a batch takes, learned from the runs themselves, and the batch size that follows from it.

Sizes fall into classes 1, 2, 3-4, 5-8, …; of each class the median time a row is kept over its last runs, which
a straggler does not move. On few cores a large batch can be slower by the row than a small one: the table shows
it, and such sizes are then not chosen.
"""

from collections import deque
from statistics import median_low

WINDOW = 9
EXPLORE_EVERY = 64
"""Every so many batches the next larger class is tried, so that no verdict is for ever."""


def size_class(rows: int) -> int:
    """The class of a batch size, from 0."""
    return (rows - 1).bit_length()


class ServiceTimes:
    """Learned times of one graph for one shape of input."""

    def __init__(self, max_rows: int) -> None:
        self.max_rows = max_rows
        self._recent: dict[int, deque[float]] = {}
        self._per_row: dict[int, float] = {}
        self._num_runs = 0
        self._best: list[int] = [1]
        """By the class of the rows that wait, how many of them to take at most."""
        self.seconds_per_row = 0.0
        """What a row costs when many wait; 0 while nothing is known."""

    def record(self, rows: int, seconds: float) -> None:
        """Learn from one run."""
        of_class = size_class(rows)
        recent = self._recent.setdefault(of_class, deque(maxlen=WINDOW))
        recent.append(seconds / rows)
        self._per_row[of_class] = median_low(recent)
        self._num_runs += 1
        self._best = self._ranked()
        self.seconds_per_row = min(self._per_row.values())

    def _ranked(self) -> list[int]:
        """For each class of waiting rows, the size with the most rows a second among those known."""
        best, fastest = [1], self._per_row.get(0, float("inf"))
        for each in range(1, size_class(self.max_rows) + 1):
            # An unknown class is taken for as fast as the best below it, so that it comes to be known.
            seconds = self._per_row.get(each, fastest if each - 1 in self._per_row else float("inf"))
            if seconds <= fastest:
                fastest = seconds
                best.append(min(2**each, self.max_rows))
            else:
                best.append(best[-1])
        return best

    def choose(self, waiting: int) -> int:
        """How many of the waiting rows to run as one batch, for the most rows a second."""
        waiting = min(waiting, self.max_rows)
        best = self._best
        size = best[min(size_class(waiting), len(best) - 1)]
        if self._num_runs % EXPLORE_EVERY == 0:
            size = min(size * 2, self.max_rows)
        return min(size, waiting)

    def seconds(self, rows: int) -> float | None:
        """How long a batch of this size will take; None while nothing is known of it or of a smaller one."""
        of_class = size_class(rows)
        while of_class >= 0:
            if of_class in self._per_row:
                return self._per_row[of_class] * rows
            of_class -= 1
        return None
