"""`dates`: dates in many written forms, and the same dates as ISO 8601 writes them, drawn with a fixed seed."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from models.readers.sequences import PAIR_ROWS, pairs_described, write_pairs
from models.readers.source import Source
from models.readers.writer import DatasetWriter, Description

_SEED = 0
FIRST, LAST = date(1900, 1, 1), date(2099, 12, 31)
SHORT_YEARS = range(1950, 2050)
"""The years that two digits stand for."""
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def _ordinal(day: int) -> str:
    suffix = "th" if 10 <= day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{suffix}"


def _month(when: date) -> str:
    return MONTHS[when.month - 1]


def _weekday(when: date) -> str:
    return WEEKDAYS[when.weekday()]


Form = Callable[[date], str]
FORMS: tuple[Form, ...] = (
    lambda d: f"{d.day} {_month(d)} {d.year}",
    lambda d: f"{_month(d)} {d.day}, {d.year}",
    lambda d: f"{d.day} {_month(d)[:3]} {d.year}",
    lambda d: f"{_month(d)[:3]}. {d.day}, {d.year}",
    lambda d: f"{_ordinal(d.day)} of {_month(d)} {d.year}",
    lambda d: f"the {_ordinal(d.day)} day of {_month(d)} in the year {d.year}",
    lambda d: f"{_weekday(d)}, {d.day} {_month(d)} {d.year}",
    lambda d: f"{_weekday(d)[:3]} {_month(d)[:3]} {d.day:02} {d.year}",
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year}",
    lambda d: f"{d.month}/{d.day}/{d.year}",
    lambda d: f"{d.year}/{d.month:02}/{d.day:02}",
    lambda d: f"{d.year}{d.month:02}{d.day:02}",
    lambda d: f"{d.day}. {ROMAN[d.month - 1]}. {d.year}",
    lambda d: f"{d.day}-{_month(d)[:3].upper()}-{d.year}",
    lambda d: f"{_month(d).lower()} {d.day} {d.year}",
)
SHORT_FORMS: tuple[Form, ...] = (
    lambda d: f"{d.day} {_month(d)[:3]} '{d.year % 100:02}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year % 100:02}",
    lambda d: f"{d.month}/{d.day}/{d.year % 100:02}",
)


def dates(source: Source, writer: DatasetWriter) -> Description:
    """10,000 different dates of the years 1900 to 2099, each in one of 19 forms, and as 2099-12-31.

    With points the day comes first, with strokes the month. Two digits are a year from 1950 to 2049.
    No date is in two splits.
    """
    generator = np.random.default_rng(_SEED)
    days = generator.choice((LAST - FIRST).days + 1, sum(PAIR_ROWS.values()), replace=False)
    begin = 0
    for split, count in PAIR_ROWS.items():
        found = [FIRST + timedelta(days=int(day)) for day in days[begin : begin + count]]
        write_pairs(writer, split, ((_written(each, generator), each.isoformat()) for each in found))
        begin += count
    return pairs_described()


def _written(when: date, generator: np.random.Generator) -> str:
    forms = FORMS + (SHORT_FORMS if when.year in SHORT_YEARS else ())
    return forms[int(generator.integers(len(forms)))](when)
