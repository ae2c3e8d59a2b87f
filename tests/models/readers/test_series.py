"""`series`: values at regular times."""

from pathlib import Path

import numpy as np
import pytest

from models.readers import series
from tests.models.readers.builders import ingest, refusal

MONTHLY = b'"Month","Passengers"\r\n"1949-11",104\r\n"1949-12",118.5\r\n"1950-01",115'


def days(*numbers: int, values: str = "{}") -> bytes:
    return b"date,value\n" + b"".join(f"2024-01-{day:02},{values.format(day)}\n".encode() for day in numbers)


def test_one_series_is_one_row_of_steps() -> None:
    ingested = ingest(MONTHLY)
    described = ingested.manifest["input"]
    assert (ingested.manifest["modality"], ingested.manifest["task"], ingested.manifest["target"]) == (
        "series",
        "forecasting",
        None,
    )
    assert (described["dtype"], described["shape"]) == ("float32", [None, 1])
    assert described["columns"] == [{"name": "Passengers", "kind": "numeric", "role": "target"}]
    assert described["time"] == {"name": "Month", "unit": "month", "step": 1}
    assert described["series"] == [{"id": "", "start": "1949-11", "steps": 3}]
    assert ingested.manifest["splits"] == {"train": {"count": 1, "longest": 3, "total": 3}}
    assert ingested.rows()[0].tolist() == [[104.0], [118.5], [115.0]]


@pytest.mark.parametrize(
    ("times", "unit", "step"),
    [
        (["1990", "1991", "1992"], "index", 1),
        (["0", "5", "10"], "index", 5),
        (["2024-01-31", "2024-02-29", "2024-03-31"], "month", 1),
        (["2023-01-01", "2023-04-01", "2023-07-01"], "month", 3),
        (["2021-05-01", "2022-05-01", "2023-05-01"], "year", 1),
        (["2024-02-28", "2024-02-29", "2024-03-01"], "day", 1),
        (["2024-01-01", "2024-01-08", "2024-01-15"], "week", 1),
        (["2024-01-01T22:00Z", "2024-01-02T00:00+01:00", "2024-01-02 00:00"], "hour", 1),
        (["2024-01-01T00:00:00", "2024-01-01T00:15:00", "2024-01-01T00:30:00"], "minute", 15),
    ],
)
def test_the_spacing_of_times_is_found_out(times: list[str], unit: str, step: int) -> None:
    upload = "time,x\n" + "".join(f"{time},{place}\n" for place, time in enumerate(times))
    time = ingest(upload.encode(), "series").manifest["input"]["time"]
    assert (time["unit"], time["step"]) == (unit, step)


def test_columns_have_roles() -> None:
    upload = b"day,holiday,sales,stock\n1,0,5,9\n2,1,7,8\n3,0,6,7\n"
    ingested = ingest(upload, "series", target="sales", known_ahead=["holiday"])
    roles = {column["name"]: column["role"] for column in ingested.manifest["input"]["columns"]}
    assert roles == {"holiday": "known_ahead", "sales": "target", "stock": "past"}
    assert ingested.rows()[0].tolist() == [[0, 5, 9], [1, 7, 8], [0, 6, 7]]
    for wrong in ({"target": "x"}, {"target": ""}, {"known_ahead": ["x"]}, {"time": "x"}, {"series": "x"}):
        assert refusal(upload, "series", **wrong).code == "options_invalid"
    assert refusal(upload, "series", known_ahead=["holiday", "sales", "stock"]).code == "options_invalid"
    both = refusal(upload, "series", target="sales", known_ahead=["sales"])
    assert "'sales' is both the `target` and `known_ahead`" in both.detail


def test_several_series_are_several_rows() -> None:
    upload = b"shop,when,y\nb,1,5\nb,2,6\na,4,7\na,5,8\na,6,9\n"
    ingested = ingest(upload, "series", time="when", series="shop")
    assert [row[:, 0].tolist() for row in ingested.rows()] == [[5, 6], [7, 8, 9]]
    assert ingested.manifest["input"]["series"] == [
        {"id": "b", "start": "1", "steps": 2},
        {"id": "a", "start": "4", "steps": 3},
    ]
    mixed = refusal(b"series,time,y\na,1,1\nb,1,2\na,2,3\nb,2,4\n", "series")
    assert (mixed.code, "row 1 " in mixed.detail or "fewer than 2" in mixed.detail) == ("series_invalid", True)
    again = refusal(b"series,time,y\na,1,1\na,2,1\nb,1,2\nb,2,2\na,3,3\n", "series")
    assert "row 5" in again.detail
    assert "sort the file by series" in again.detail


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (days(1, 2, 4), ("row 3 (line 4", "1 times", "`gaps`")),
        (days(1, 3, 2), ("row 3", "sort the file by time", "several series", "`series`")),
        (days(1, 2, 2), ("row 3", "`series`")),
        (days(1, 2, 3, values=""), ("row 1", "'value'", "`gaps`")),
        (days(1, 2, 3, values="NaN"), ("row 1", "missing", "`gaps`")),
        (days(1, 2, 3, values="inf"), ("row 1", "'inf'")),
        (days(1, 2, 3, values="1e39"), ("row 1", "32-bit")),
        (days(1, 2, 3, values="high"), ("row 1", "'high'", "`series`")),
        (b"date,v\n2024-01-01,1\n2024-01-02,2\n03.01.2024,3\n", ("row 3", "2024-01-31")),
        (b"date,v\n2024-01-01,1\n,2\n2024-01-03,3\n", ("row 2", "lacks its time")),
        (b"date,v\n2024-01-01,1\n2024-01-02,2\n3,3\n", ("row 3", "another kind")),
        (b"time,v\n2024-01-01T00:00,1\n2024-01-01T02:00,2\n2024-01-01T05:00,3\n", ("row 3", "1.5 steps of 2 hours")),
        (b"date,v\n2024-01-01,1\n", ("fewer than 2 steps",)),
        (b"date,v\n", ("fewer than 2 steps",)),
        (b"date,when\n", ("fewer than 2 steps",)),
    ],
)
def test_what_is_not_regular_is_refused_with_the_row_and_the_remedy(upload: bytes, words: tuple[str, ...]) -> None:
    error = refusal(upload, "series")
    assert error.code == "series_invalid"
    assert all(word in error.detail for word in words), error.detail


def test_a_table_that_is_ragged_or_has_no_values_is_refused() -> None:
    assert refusal(b"time,v\n1,2\n2\n", "series").code == "csv_invalid"
    assert "no column of values" in refusal(b"time\n1\n2\n", "series").detail


def test_gaps_are_filled_on_request_by_the_line_between_their_neighbours() -> None:
    ingested = ingest(days(1, 2, 5, 6), gaps="interpolate")
    assert ingested.rows()[0][:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    ingested = ingest(b"t,v,w\n1,1,0\n2,,5\n3,5,nan\n4,2,7\n", "series", gaps="interpolate")
    assert ingested.rows()[0].tolist() == [[1, 0], [3, 5], [5, 6], [2, 7]]
    edge = refusal(b"t,v\n1,\n2,3\n3,4\n", "series", gaps="interpolate")
    assert "the beginning or the end" in edge.detail
    assert refusal(days(1, 2), "series", gaps="guess").code == "options_invalid"


def test_a_gap_of_ages_is_not_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = b"time,v\n2000-01-01T00:00:00,1\n2000-01-01T00:00:01,1\n9999-01-01T00:00:00,1\n"
    assert "too long to fill" in refusal(upload, "series", gaps="interpolate").detail
    monkeypatch.setattr(series, "MAX_VALUES", 3)
    assert "over 3 values" in refusal(b"t,v\n1,1\n2,1\n3,1\n4,1\n", "series").detail


def test_the_last_steps_of_every_series_are_set_aside() -> None:
    rows = b"".join(b"%s,%d,%d\n" % (name, step, step) for name in (b"a", b"b") for step in range(20))
    ingested = ingest(b"series,time,y\n" + rows, "series", split={"test": 0.2, "validation": 0.1})
    steps = {split: [row[:, 0].tolist() for row in ingested.rows(split)] for split in ingested.counts}
    assert ingested.counts == {"train": 2, "validation": 2, "test": 2}
    assert steps["train"] == [list(range(14))] * 2
    assert steps["validation"] == [[14, 15]] * 2
    assert steps["test"] == [[16, 17, 18, 19]] * 2
    assert "too short" in refusal(days(1, 2, 3), "series", split={"test": 0.2}).detail


@pytest.mark.parametrize(
    ("name", "steps", "start"), [("monthly-sunspots", 2820, "1749-01"), ("airline-passengers", 144, "1949-01")]
)
def test_real_series_are_read(name: str, steps: int, start: str, test_data: Path) -> None:
    ingested = ingest(test_data / "timeseries" / f"{name}.csv")
    assert ingested.manifest["input"]["series"] == [{"id": "", "start": start, "steps": steps}]
    assert ingested.manifest["input"]["time"]["unit"] == "month"
    assert np.isfinite(ingested.rows()[0]).all()
