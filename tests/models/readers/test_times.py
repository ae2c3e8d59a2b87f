"""Times as they are written, and how they follow each other. What is found of files: test_series."""

from datetime import datetime
from itertools import pairwise

import pytest

from models.readers.times import Beat, parse


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("1949-01", "1949-01-01T00:00:00"),
        ("2024-02-29", "2024-02-29T00:00:00"),
        ("2024-01-31T12:30", "2024-01-31T12:30:00"),
        ("2024-01-31T12:30:00+02:00", "2024-01-31T10:30:00"),
        ("2024-01-31 12:30:15Z", "2024-01-31T12:30:15"),
    ],
)
def test_times_are_read_as_utc(cell: str, moment: str) -> None:
    assert parse(cell) == datetime.fromisoformat(moment)


def test_whole_numbers_are_times() -> None:
    assert (parse("1990"), parse("-3")) == (1990, -3)


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "01.02.2024",
        "2023-02-29",
        "2024-13",
        "noon",
        "1.5",
        "2024-01-01T00:00:00.5",
        "9" * 20,
        "0001-01-01T00:00+09:00",
    ],
)
def test_what_is_no_time_is_none(cell: str) -> None:
    assert parse(cell) is None


def test_months_count_as_equal_and_a_gap_does_not_change_the_beat() -> None:
    beat = Beat()
    months = [datetime.fromisoformat(f"2024-0{month}-01") for month in (1, 2, 5, 6)]
    for earlier, later in pairwise(months):
        beat.observe(earlier, later)
    assert str(beat.spacing) == "1 month"
    assert [beat.spacing.between(months[0], later) for later in months] == [0, 1, 4, 5]
