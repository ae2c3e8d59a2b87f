"""How long a batch takes, learned from the runs themselves, and the batch size that follows from it.

Sizes fall into classes 1, 2, 3-4, 5-8, …; of each class the last times a row are kept. Their median predicts, since
a straggler does not move it; their least compares. On few cores a large batch can be slower by the row than a small
one: the table shows it, and such sizes are then not chosen.
"""

from collections import deque
from statistics import median_low

WINDOW = 9
MUCH = 1.25
ALIKE = 1.05
SMOOTHING = 0.1
EXPLORE_EVERY = 16
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
        self._fastest: dict[int, float] = {}
        self._num_runs = 0
        self._best: list[int] = [1]
        """By the class of the rows that wait, how many of them to take at most."""
        self.seconds_per_row = 0.0
        """What a row costs at the best size; 0 while nothing is known."""
        self.recent_per_row = 0.0
        """What a row has cost of late, at the sizes that were run and with all else that the machine did."""

    def record(self, rows: int, seconds: float) -> None:
        """Learn from one run."""
        of_class, per_row = size_class(rows), seconds / rows
        recent = self._recent.get(of_class)
        if recent is None:
            recent = self._recent[of_class] = deque(maxlen=WINDOW)
        recent.append(per_row)
        self._per_row[of_class] = median_low(recent)
        self._num_runs += 1
        self.recent_per_row += (per_row - self.recent_per_row) * (SMOOTHING if self._num_runs > 1 else 1.0)
        if min(recent) != self._fastest.get(of_class):
            self._fastest[of_class] = min(recent)
            self._best = self._ranked()

    def _ranked(self) -> list[int]:
        """For each class of waiting rows, the size with the most rows a second among those known.

        Classes are held against each other by their fastest runs: what else the machine does makes runs slower,
        never faster. Of sizes that are alike the larger one is taken, for the work around each batch.
        """
        best, least = [1], self._fastest.get(0, float("inf"))
        for each in range(1, size_class(self.max_rows) + 1):
            fastest = self._fastest.get(each)
            if fastest is None:  # next to the best it is taken for as fast, so that it comes to be known
                fastest = least if self._fastest.get(each - 1) == least else float("inf")
            is_best = fastest <= least * ALIKE
            best.append(min(2**each, self.max_rows) if is_best else best[-1])
            least = min(least, fastest)
        self.seconds_per_row = least
        return best

    def choose(self, waiting: int) -> int:
        """How many of the waiting rows to run as one batch, for the most rows a second."""
        waiting = min(waiting, self.max_rows)
        best = self._best
        size = best[min(size_class(waiting), len(best) - 1)]
        if self._num_runs % EXPLORE_EVERY == 0:
            size = min(size * 2, self.max_rows)
        return min(size, waiting)

    def choose_within(self, waiting: int, seconds: float) -> int | None:
        """As `choose`, but of a batch that takes no longer than `seconds`.

        None if there is no such size, or if it would cost much more a row than the best.
        """
        size = self.choose(waiting)
        while (predicted := self.seconds(size)) is None or predicted > seconds:
            if size == 1:
                return None
            size = (size + 1) // 2
        if size >= waiting:
            return size
        # Fastest against fastest: of a machine that is busy with other things the median says nothing of the size.
        fastest = self._fastest[self._nearest(size)]
        return size if fastest <= self.seconds_per_row * MUCH else None

    def seconds(self, rows: int) -> float | None:
        """How long a batch of this size will take; None while nothing is known of it or of a smaller one."""
        of_class = self._nearest(rows)
        return None if of_class < 0 else self._per_row[of_class] * rows

    def _nearest(self, rows: int) -> int:
        """The class of a batch size, or the largest known one below; -1 if there is none."""
        of_class = size_class(rows)
        while of_class >= 0 and of_class not in self._per_row:
            of_class -= 1
        return of_class
