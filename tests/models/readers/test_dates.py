"""`dates`: every form says which date it is."""

from datetime import date

import pytest

from models.readers.dates import FORMS, SHORT_FORMS, SHORT_YEARS
from tests.models.readers.builders import ingest


def test_forms_are_written_as_people_write_them() -> None:
    written = [form(date(1979, 5, 3)) for form in FORMS + SHORT_FORMS]
    assert written == [
        "3 May 1979",
        "May 3, 1979",
        "3 May 1979",
        "May. 3, 1979",
        "3rd of May 1979",
        "the 3rd day of May in the year 1979",
        "Thursday, 3 May 1979",
        "Thu May 03 1979",
        "3.5.1979",
        "03.05.1979",
        "5/3/1979",
        "1979/05/03",
        "19790503",
        "3. V. 1979",
        "3-MAY-1979",
        "may 3 1979",
        "3 May '79",
        "03.05.79",
        "5/3/79",
    ]
    assert [FORMS[4](date(2001, 12, day)) for day in (1, 11, 12, 13, 22, 31)] == [
        f"{day} of December 2001" for day in ("1st", "11th", "12th", "13th", "22nd", "31st")
    ]


@pytest.mark.parametrize("form", FORMS)
def test_no_two_dates_are_written_alike(form) -> None:  # type: ignore[no-untyped-def]
    days = [date.fromordinal(day) for day in range(date(1999, 12, 1).toordinal(), date(2001, 3, 1).toordinal())]
    assert len({form(day) for day in days}) == len(days)


def test_two_digits_stand_for_one_year() -> None:
    assert len({year % 100 for year in SHORT_YEARS}) == len(SHORT_YEARS) == 100


def test_targets_are_dates_and_none_is_in_two_splits() -> None:
    ingested = ingest(None, "builtin", builtin="dates")
    assert ingested.counts == {"train": 8000, "validation": 1000, "test": 1000}
    found: set[date] = set()
    for split in ingested.counts:
        found |= {date.fromisoformat(bytes(row).decode()) for row in ingested.rows(split, "targets")}
    assert len(found) == 10_000
