"""`parquet`: the same tables as CSV, and files that are none."""

import contextlib
import datetime as dt
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from models.errors import JobError
from tests.models.readers.builders import ingest, refusal
from tests.models.readers.test_csv import FLOWERS


def packed(columns: dict[str, Any], **options: Any) -> bytes:
    """A Parquet file of these columns."""
    buffer = io.BytesIO()
    parquet.write_table(pa.table(columns), buffer, **options)
    return buffer.getvalue()


FLOWER_COLUMNS = {
    "length": [1, 3, 5, 7],
    "width": [2.0, None, 6.0, 8.0],
    "colour": ["red", "blue", None, "red"],
    "species": ["rose", "rose", "tulip", "tulip"],
}


def test_a_table_is_the_same_data_set_as_its_csv() -> None:
    assert ingest(packed(FLOWER_COLUMNS)).manifest["digest"] == ingest(FLOWERS).manifest["digest"]


@pytest.mark.parametrize("compression", ["none", "snappy", "gzip", "zstd", "brotli"])
def test_every_usual_compression_is_read(compression: str) -> None:
    upload = packed(FLOWER_COLUMNS, compression=compression)
    assert ingest(upload, "parquet").manifest["digest"] == ingest(FLOWERS).manifest["digest"]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, 2, 3, 4], pa.uint8()),
        pa.array([1, 2, 3, 4], pa.float16()),
        pa.array([1, 2, 3, 4], pa.decimal128(9, 2)),
        pa.array([1, 2, 3, 4]).dictionary_encode(),
    ],
    ids=str,
)
def test_numbers_of_every_type_are_numbers(values: pa.Array) -> None:
    ingested = ingest(packed({"x": values, "y": [0.5, 1.5, 2.5, 3.5]}), task="regression")
    assert ingested.inputs()[:, 0].tolist() == [1, 2, 3, 4]


def test_truth_values_dates_and_dictionaries_are_categories() -> None:
    days = [dt.date(2024, 1, 1), dt.date(2024, 1, 2)] * 2
    columns = {"flag": [True, False, None, True], "day": days, "kind": pa.array(["a", "b"] * 2).dictionary_encode()}
    ingested = ingest(packed({**columns, "y": ["p", "q"] * 2}))
    flag, day, kind = ingested.manifest["input"]["columns"]
    assert flag["categories"] == ["false", "true"]
    assert day["categories"] == ["2024-01-01", "2024-01-02"]
    assert kind["categories"] == ["a", "b"]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(width=32, allow_infinity=False), min_size=4, max_size=20))
def test_every_number_comes_out_as_it_went_in(values: list[float]) -> None:
    targets = [float(place) for place in range(len(values))]
    columns = {"x": pa.array([1.0, *values], pa.float32()), "y": [*targets, 0.5]}
    ingested = ingest(packed(columns), task="regression")
    assert np.array_equal(ingested.inputs()[:, 0], np.array([1.0, *values], np.float32), equal_nan=True)


def test_the_index_that_pandas_writes_is_no_column() -> None:
    upload = packed({**FLOWER_COLUMNS, "__index_level_0__": [10, 11, 12, 13]})
    assert ingest(upload).manifest["digest"] == ingest(FLOWERS).manifest["digest"]


def test_many_row_groups_are_one_table() -> None:
    columns = {"x": list(range(1000)), "y": ["a", "b"] * 500}
    assert ingest(packed(columns, row_group_size=7)).manifest["splits"]["train"]["count"] == 1000


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"x": [[1], [2]], "y": [1, 2]}, "'list<"),
        ({"x": [{"a": 1}, {"a": 2}], "y": [1, 2]}, "'struct<"),
        ({"x": [b"1", b"2"], "y": [1, 2]}, "'binary'"),
        ({"y": ["a", "b"]}, "only column"),
        ({"": [1, 2], "y": ["a", "b"]}, "has no name"),
        ({}, "no columns"),
    ],
)
def test_what_is_no_table_to_learn_from_is_refused(columns: dict[str, Any], words: str) -> None:
    error = refusal(packed(columns), "parquet")
    assert error.code in ("parquet_invalid", "table_invalid")
    assert words in error.detail


def test_a_number_too_large_is_named_with_its_row() -> None:
    error = refusal(packed({"x": [1.0, 1e300], "y": ["a", "b"]}))
    assert error.code == "table_invalid"
    assert "row 2, which" in error.detail


def test_text_that_is_not_utf8_is_refused() -> None:
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"\xff\xfe", b"ok"], pa.binary()).buffers())
    assert refusal(packed({"x": text, "y": ["a", "b"]})).code == "parquet_invalid"


def test_a_small_file_of_endless_rows_is_refused_by_their_number() -> None:
    upload = packed({"x": np.zeros(2_000_000, np.int8), "y": np.ones(2_000_000, np.int8)})
    assert len(upload) < 20_000
    error = refusal(upload, limits={"max_decompressed_bytes": 2**20})
    assert error.code == "parquet_invalid"
    assert "2,000,000 rows" in error.detail


UPLOAD = packed(FLOWER_COLUMNS)


@settings(max_examples=150, deadline=None)
@given(st.integers(4, len(UPLOAD) - 1), st.integers(0, 255))
def test_a_spoilt_byte_is_refused_or_harmless(place: int, byte: int) -> None:
    spoilt = UPLOAD[:place] + bytes([byte]) + UPLOAD[place + 1 :]
    with contextlib.suppress(JobError):
        ingest(spoilt, "parquet")


@pytest.mark.parametrize("upload", [b"PAR1", b"PAR1PAR1", UPLOAD[: len(UPLOAD) // 2], UPLOAD[:-1], b"a,b\n1,2\n"])
def test_a_file_cut_off_is_refused(upload: bytes) -> None:
    assert refusal(upload, "parquet").code == "parquet_invalid"
