"""The times of a series: how they are written (ISO 8601, or whole numbers) and how regularly they follow each other."""

import re
from calendar import monthrange
from datetime import UTC, datetime
from typing import Any, NamedTuple

Moment = datetime | int
_INDEX = re.compile(r"-?\d{1,15}")
_MONTH = re.compile(r"\d{4}-\d{2}")
_SECONDS = {"week": 604_800, "day": 86_400, "hour": 3_600, "minute": 60}
_MONTHS_OF_YEAR = 12


def parse(cell: str) -> Moment | None:
    """A cell as a time of whole seconds, or None. `1949-01` is the first of the month, a time without a zone is UTC."""
    try:
        if _INDEX.fullmatch(cell):
            return int(cell)
        moment = datetime.fromisoformat(f"{cell}-01" if _MONTH.fullmatch(cell) else cell)
        if moment.microsecond:
            return None
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None


class Spacing(NamedTuple):
    """The time between two steps: `step` times a unit, which is `index`, `second` or `month`."""

    unit: str
    step: int

    def between(self, earlier: Moment, later: Moment) -> float:
        """How many steps lie between two times; not whole if the later one is off the beat."""
        if self.unit == "month":
            return _months(earlier, later) / self.step
        return _seconds(earlier, later) / self.step

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest: in the largest unit that it is a whole number of."""
        if self.unit == "month" and self.step % _MONTHS_OF_YEAR == 0:
            return {"unit": "year", "step": self.step // _MONTHS_OF_YEAR}
        if self.unit == "second":
            for unit, seconds in _SECONDS.items():
                if self.step % seconds == 0 and (unit != "week" or self.step == seconds):
                    return {"unit": unit, "step": self.step // seconds}
        return {"unit": self.unit, "step": self.step}

    def __str__(self) -> str:
        unit, step = self.as_json().values()
        return f"{step} {unit}s" if step > 1 else f"1 {unit}"


class Beat:
    """Finds the spacing: the smallest difference that was seen. Calendar months count as equal."""

    def __init__(self) -> None:
        self._is_index = False
        self._is_monthly = True
        self._least_seconds = 0
        self._least_months = 0

    def observe(self, earlier: Moment, later: Moment) -> None:
        """Two times of a series, one after the other, of one kind."""
        self._is_index = isinstance(later, int)
        seconds, months = _seconds(earlier, later), _months(earlier, later)
        self._least_seconds = min(self._least_seconds or seconds, seconds)
        self._is_monthly &= months > 0
        self._least_months = min(self._least_months or months, months)

    @property
    def spacing(self) -> Spacing:
        """What was found."""
        if self._is_index or not self._is_monthly:
            return Spacing("index" if self._is_index else "second", self._least_seconds)
        return Spacing("month", self._least_months)


def _seconds(earlier: Moment, later: Moment) -> int:
    """Of whole numbers, their difference."""
    if isinstance(earlier, datetime) and isinstance(later, datetime):
        return round((later - earlier).total_seconds())
    return int(later) - int(earlier)  # type: ignore[arg-type]


def _months(earlier: Moment, later: Moment) -> int:
    """How many calendar months lie between two times; 0 if they are no whole months apart."""
    if not isinstance(earlier, datetime) or not isinstance(later, datetime):
        return 0
    both_end_months = all(moment.day == monthrange(moment.year, moment.month)[1] for moment in (earlier, later))
    if earlier.time() != later.time() or not (earlier.day == later.day or both_end_months):
        return 0
    return (later.year - earlier.year) * _MONTHS_OF_YEAR + later.month - earlier.month
