"""`csv`: what columns become, and tables that are none."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import JobError
from models.readers.csv import MAX_ROW_BYTES
from models.readers.rows import MAX_COLUMNS
from tests.models.readers.builders import ingest, refusal

FLOWERS = b"length,width,colour,species\n1,2,red,rose\n3,,blue,rose\n5,6,?,tulip\n7,8,red,tulip\n"


def lines(*rows: str) -> bytes:
    return "\n".join(rows).encode() + b"\n"


def test_numbers_and_text_become_columns() -> None:
    ingested = ingest(FLOWERS)
    assert ingested.manifest["input"] == {
        "name": "features",
        "dtype": "float32",
        "shape": [3],
        "columns": [
            {"name": "length", "kind": "numeric"},
            {"name": "width", "kind": "numeric"},
            {"name": "colour", "kind": "categorical", "categories": ["blue", "red"]},
        ],
    }
    assert ingested.manifest["target"] == {"name": "species", "dtype": "int64", "shape": []}
    assert ingested.manifest["classes"] == ["rose", "tulip"]
    assert ingested.targets().tolist() == [0, 0, 1, 1]
    expected = np.array([[1, 2, 1], [3, np.nan, 0], [5, 6, np.nan], [7, 8, 1]], np.float32)
    assert np.array_equal(ingested.inputs(), expected, equal_nan=True)


@pytest.mark.parametrize("cell", ["", "  ", "NA", "n/a", "NaN", "null", "None", "?"])
def test_missing_values_become_nan(cell: str) -> None:
    ingested = ingest(lines("a,b", f"{cell},1.5", "2,2.5"))
    assert np.isnan(ingested.inputs()[0, 0])


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_found(delimiter: str) -> None:
    assert ingest(FLOWERS.replace(b",", delimiter.encode())).manifest["digest"] == ingest(FLOWERS).manifest["digest"]


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbf" + FLOWERS, FLOWERS.replace(b"\n", b"\r\n"), FLOWERS.replace(b"\n", b"\n\n"), FLOWERS[:-1]]
)
def test_byte_order_mark_line_ends_and_empty_lines_are_no_matter(data: bytes) -> None:
    assert ingest(data).manifest["digest"] == ingest(FLOWERS).manifest["digest"]


def test_quotes_hold_delimiters_and_line_ends() -> None:
    ingested = ingest(b'a,label\n"x, y",1\n"x\nz",1\n"say ""hi""",2\n')
    assert ingested.manifest["input"]["columns"][0]["categories"] == ['say "hi"', "x\nz", "x, y"]


def test_cells_that_look_like_formulas_stay_data() -> None:
    ingested = ingest(lines("a,b,label", "=1+1,+5,x", "@SUM(A1),-2,y", '-cmd,+3,"=x"'))
    columns = ingested.manifest["input"]["columns"]
    assert columns[0]["categories"] == ["-cmd", "=1+1", "@SUM(A1)"]
    assert ingested.inputs()[:, 1].tolist() == [5, -2, 3]
    assert ingested.manifest["classes"] == ["=x", "x", "y"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [("target,z", "target"), ("z,Label", "Label"), ("class,z", "class"), ("y,z", "y"), ("a,z", "z")],
)
def test_the_target_is_found_by_its_name_else_it_is_the_last(header: str, expected: str) -> None:
    assert ingest(lines(header, "1.5,2.5", "2.5,3.5")).manifest["target"]["name"] == expected


def test_the_target_may_be_chosen() -> None:
    ingested = ingest(FLOWERS, target="colour")
    assert ingested.manifest["classes"] == ["blue", "red"]
    assert ingested.skipped == [("row 3", "the target is missing")]
    assert ingested.counts == {"train": 3}


def test_an_unknown_target_is_refused() -> None:
    error = refusal(FLOWERS, target="smell")
    assert error.code == "options_invalid"
    assert "'length', 'width', 'colour', 'species'" in error.detail


def test_an_empty_target_makes_all_columns_features() -> None:
    ingested = ingest(lines("a,b", "1,"), target="")
    assert (ingested.manifest["task"], ingested.manifest["target"]) == (None, None)
    assert ingested.manifest["input"]["shape"] == [2]


@pytest.mark.parametrize(
    ("name", "values", "task", "classes"),
    [
        ("z", ["0", "1", "0", "1.0"], "classification", ["0", "1"]),
        ("z", ["10", "9", "10", "9"], "classification", ["9", "10"]),
        ("z", ["1", "2", "3", "4"], "regression", None),
        ("z", ["0.5", "1", "0.5", "1"], "regression", None),
        ("z", ["yes", "no", "yes", "no"], "classification", ["no", "yes"]),
        ("label", ["1", "2", "3", "4"], "classification", ["1", "2", "3", "4"]),
    ],
)
def test_the_task_is_inferred(name: str, values: list[str], task: str, classes: list[str] | None) -> None:
    ingested = ingest(lines(f"a,{name}", *(f"{i},{value}" for i, value in enumerate(values))))
    assert ingested.manifest["task"] == task
    assert ingested.manifest["classes"] == classes
    assert ingested.targets().dtype == (np.float32 if classes is None else np.int64)


def test_the_task_may_be_chosen() -> None:
    numbers = lines("a,z", "1,0", "2,1", "3,0", "4,1")
    assert ingest(numbers, task="regression").targets().tolist() == [0, 1, 0, 1]
    ingested = ingest(lines("a,z", "1,0.5", "2,1.5", "3,0.5"), task="classification")
    assert ingested.manifest["classes"] == ["0.5", "1.5"]


def test_text_targets_are_refused_for_regression() -> None:
    assert "row 1 (line 2" in refusal(FLOWERS, task="regression").detail


@pytest.mark.parametrize("row", ["1", "1,2,3", "1,2,3,4,5", ",,,,,,"])
def test_a_ragged_row_is_refused_by_its_number(row: str) -> None:
    error = refusal(FLOWERS + row.encode() + b"\n")
    assert error.code == "csv_invalid"
    assert "row 5 (line 6" in error.detail


@pytest.mark.parametrize("data", [b"a,b\n1,\0\n", "a,b\n1,2\n".encode("utf-16-le"), b"a,b\n\0\0\0\n"])
def test_nul_bytes_are_refused(data: bytes) -> None:
    error = refusal(data, "csv")
    assert error.code == "csv_invalid"
    assert "NUL" in error.detail


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_wide_encodings_are_refused_by_name(encoding: str) -> None:
    assert "UTF-16" in refusal("a,b\n1,2\n".encode(encoding)).detail


def test_text_that_is_not_utf_8_is_refused_by_its_line() -> None:
    assert "Line 3" in refusal("a,b\n1,x\n2,é\n".encode("latin-1")).detail


@pytest.mark.parametrize("data", [b"5.1,3.5,1.4,0.2,setosa\n4.9,3.0,1.4,0.2,setosa\n", b"1,2,3\n4,5,6\n"])
def test_a_missing_header_is_refused(data: bytes) -> None:
    assert "header" in refusal(data).detail


@pytest.mark.parametrize(("header", "word"), [("a,,c", "Column 2"), ("a,b,a", "'a' twice")])
def test_columns_without_a_name_of_their_own_are_refused(header: str, word: str) -> None:
    assert word in refusal(lines(header, "1,2,3")).detail


def test_a_million_columns_are_refused() -> None:
    error = refusal(b",".join(b"c%d" % i for i in range(MAX_COLUMNS + 1)) + b"\n")
    assert "columns" in error.detail
    assert refusal(b"," * 1_000_000 + b"\n").code == "table_invalid"


def test_an_endless_line_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write(b"a,b\n1,")
        file.write(b"2" * (MAX_ROW_BYTES + 1))
        file.truncate(2**30)
    error = refusal(path)
    assert error.code == "csv_invalid"
    assert "Line 2" in error.detail


@pytest.mark.parametrize("row", ['"' + "x\n" * 100_000, '"x\n",' * 1_000_000])
def test_a_row_that_quotes_make_endless_is_refused(row: str) -> None:
    assert refusal(lines("a,b", row)).code == "csv_invalid"


@pytest.mark.parametrize("row", ['"a"b,c', '"never closed,1', "a\rb,c"])
def test_malformed_quotes_are_refused_by_their_line(row: str) -> None:
    error = refusal(lines("a,b", "1,2", row))
    assert error.code == "csv_invalid"
    assert "Line 3" in error.detail


@pytest.mark.parametrize("cell", ["1e308", "inf", "-Infinity", "1e39"])
def test_targets_that_no_float_holds_are_refused(cell: str) -> None:
    error = refusal(lines("a,z", "1,2.5", f"2,{cell}"))
    assert error.code == "unsuitable_data"
    assert "row 2" in error.detail


def test_features_that_no_float_holds_are_refused() -> None:
    error = refusal(lines("a,z", "1e39,2.5", "2,3.5"))
    assert error.code == "table_invalid"
    assert "'a'" in error.detail


def test_rows_without_a_target_are_dropped_and_counted() -> None:
    ingested = ingest(lines("a,z", "1,", "2,x", "3,y", "4,NA"))
    assert ingested.inputs().tolist() == [[2], [3]]
    assert ingested.manifest["skipped"]["count"] == 2


def test_a_target_that_is_missing_everywhere_is_refused() -> None:
    error = refusal(lines("a,z", "1,", "2,NA"))
    assert error.code == "unsuitable_data"
    assert "missing in all rows" in error.detail


def test_one_class_only_is_refused() -> None:
    assert refusal(lines("a,z", "1,x", "2,x")).code == "unsuitable_data"


@pytest.mark.parametrize("rows", [[], ["1,2.5"], ["1,2.5", "2,"]])
def test_one_row_or_none_is_refused(rows: list[str]) -> None:
    assert refusal(lines("a,z", *rows)).code == "unsuitable_data"


def test_a_column_that_is_empty_everywhere_is_refused() -> None:
    assert "'a' is empty" in refusal(lines("a,z", ",x", ",y")).detail


def test_a_target_without_features_is_refused() -> None:
    assert refusal(lines("a", "1", "2")).code == "table_invalid"


def test_free_text_is_refused() -> None:
    rows = [f"name {i},{i % 2}" for i in range(1001)]
    assert "free text" in refusal(lines("a,z", *rows)).detail
    assert "free text" in refusal(lines("a,z", "x" * 201 + ",1", "y,2")).detail


def test_too_many_distinct_texts_in_all_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.readers.table.MAX_ALL_CATEGORIES", 3)
    assert refusal(lines("a,b,z", "p,q,1", "r,s,2")).code == "table_invalid"


def test_too_many_classes_are_refused() -> None:
    assert "too many for classes" in refusal(lines("a,z", *(f"1,x{i}" for i in range(1001)))).detail


def test_a_table_longer_than_a_batch_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.readers.table.MAX_BATCH_ROWS", 7)
    ingested = ingest(lines("a,z", *(f"{i},{i / 2}" for i in range(50))))
    assert ingested.inputs()[:, 0].tolist() == list(range(50))
    assert ingested.targets().tolist() == [i / 2 for i in range(50)]


def test_california_housing_is_read(test_data: Path) -> None:
    ingested = ingest(test_data / "tabular" / "housing.csv", target="median_house_value")
    assert ingested.counts == {"train": 20_640}
    assert ingested.manifest["task"] == "regression"
    assert np.isnan(ingested.inputs()[:, 4]).sum() == 207


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=300) | st.text(alphabet='ab,;"\n\r1.-+e\t|=', max_size=200).map(str.encode))
def test_random_bytes_are_refused_or_read_but_never_crash(data: bytes) -> None:
    with contextlib.suppress(JobError):
        ingest(data, "csv")


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(["x", 'y"', "z, z", "w\nw"])
        ),
        min_size=2,
        max_size=20,
    ).filter(lambda rows: len({name for _, name in rows}) > 1)
)
def test_what_is_written_is_read_back(rows: list[tuple[float, str]]) -> None:
    quoted = ['{!r},"{}"'.format(number, name.replace('"', '""')) for number, name in rows]
    ingested = ingest(lines("number,name", *quoted))
    assert ingested.inputs()[:, 0].tolist() == [number for number, _ in rows]
    assert [ingested.manifest["classes"][index] for index in ingested.targets()] == [name for _, name in rows]
