"""What the user is told of several trainings while they go on."""

from time import monotonic
from typing import Any

from models.run import ProducedFile, Reporter, Wish


class FitsReport:
    """A `Reporter` for the fits: their progress is a share of the job's, their epochs are not in its log."""

    def __init__(self, report: Reporter, total: int) -> None:
        self._report, self._total = report, total
        self._number, self._name = 0, ""
        self._began_at: tuple[float, float] | None = None

    def begin(self, number: int, name: str) -> None:
        """What is reported from now on is of this fit, the first being number 0."""
        self._number, self._name = number, name

    def progress(
        self, fraction: float, *, epoch: int | None = None, step: int | None = None, eta_seconds: float | None = None
    ) -> None:
        """How much of the job is done; the time left is judged by what this attempt has done so far."""
        done, now = (self._number + fraction) / self._total, monotonic()
        if self._began_at is None:
            self._began_at = now, done
        since, before = self._began_at
        left = (now - since) / (done - before) * (1 - done) if done > before else None
        self._report.progress(done, epoch=epoch, step=step, eta_seconds=left)

    def metric(self, series: str, step: int, value: float) -> None:
        """Nothing: a job of a thousand fits would have a thousand curves."""

    def log(self, message: str, *, level: str = "info") -> None:
        """Warnings alone."""
        if level != "info":
            self._report.log(f"{self._name}: {message}", level=level)

    def artifact(self, file: ProducedFile) -> None:
        """Nothing: the fits of a job would overwrite each other's."""

    def suggested(self, parameters: dict[str, Any], attributes: dict[str, Any]) -> None:
        """What a trial is given, for all of its fits."""
        self._report.suggested(parameters, attributes)

    def wish(self) -> Wish | None:
        """What the user asked for meanwhile."""
        return self._report.wish()
