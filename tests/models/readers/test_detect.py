"""`auto`: formats are told by their bytes, and by the names of the files in an archive."""

import bz2
import gzip
import lzma
from typing import Any

import numpy as np
import pytest

from tests.models.readers.builders import idx, ingest, mnist_files, npz_of, png, refusal, tar_of, two_classes, zip_of


@pytest.mark.parametrize(
    ("upload", "format"),
    [
        (zip_of(two_classes()), "image-folder"),
        (zip_of({"LICENSE": b"free", **two_classes()}), "image-folder"),
        (zip_of({f"idx_{name}": data for name, data in two_classes().items()}), "image-folder"),
        (tar_of(two_classes(), "w:gz"), "image-folder"),
        (zip_of({"README": b"of MNIST", **mnist_files()}), "idx"),
        (tar_of(mnist_files(compress=False)), "idx"),
        (npz_of(x=np.eye(4), y=np.array([0, 1, 0, 1])), "npz"),
        (b"a,b\n1,x\n2,y\n", "csv"),
        (b"year,km,price\n2015,4,9\n2012,9,4\n2019,1,20\n2012,5,5\n", "csv"),
        (b"a\tb\n1\tx y\n2\ty z\n", "csv"),
        (zip_of({"a/1.txt": b"one", "a/2.txt": b"two", "b/1.txt": b"three"}), "text-folder"),
        (zip_of({"names/a.txt": b"one\ntwo\n", "names/b.txt": b"three\n", "LICENSE": b"free"}), "text-classes"),
        (zip_of({"train/a.txt": b"one\n", "train/b.txt": b"three\n", "test/a.txt": b"x\n"}), "text-classes"),
        (b"Go.\tVa !\nRun!\tCours !\n", "pairs"),
        (zip_of({"_about.txt": b"of pairs", "fra.txt": b"Go.\tVa !\nRun!\tCours !\n"}), "pairs"),
        (b"EU B-org\nrejects O\n\nPeter B-per\n", "conll"),
        (zip_of({"t.train": b"EU\tNNP\nrejects\tVB\n\nPeter\tNNP\n", "t.dev": b"EU\tNNP\n\nis\tVB\n"}), "conll"),
        (b"(1 (0 not) (1 good))\n(0 (0 not) (0 bad))\n", "trees"),
        (b'"Month","Passengers"\r\n"1949-01",112\r\n"1949-02",118\r\n"1949-03",132', "series"),
    ],
)
def test_a_format_is_told_by_its_bytes(upload: bytes, format: str) -> None:
    ingested = ingest(upload)
    assert f"The upload is of the format {format}." in ingested.reporter.lines
    assert ingested.manifest["digest"] == ingest(upload, format).manifest["digest"]


@pytest.mark.parametrize(
    ("upload", "word"),
    [
        (bz2.compress(tar_of(two_classes())), "bzip2"),
        (lzma.compress(tar_of(two_classes())), "xz"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "not a tar.gz"),
        (b"\x1f\x8b\x08broken", "not a tar.gz"),
        (png(), "single image"),
        (idx(np.zeros((2, 3, 3))), "single idx"),
        (b"\x93NUMPY\1\0", "numpy.savez"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
    ],
)
def test_what_is_not_read_is_refused_with_a_remedy(upload: bytes, word: str) -> None:
    error = refusal(upload)
    assert error.code == "format_unsupported"
    assert word in error.detail


@pytest.mark.parametrize("upload", [b"", zip_of({}), zip_of({"a.bin": b"text"}), zip_of({"readme.txt": b"text"})])
def test_nothing_to_read_is_refused(upload: bytes) -> None:
    assert refusal(upload).code == "format_unknown"


@pytest.mark.parametrize(("format", "code"), [("parquet", "parquet_invalid"), ("pickle", "unknown_format")])
def test_a_format_that_is_not_read_is_refused(format: str, code: str) -> None:
    assert refusal(b"PAR1", format).code == code


@pytest.mark.parametrize("format", ["image-folder", "idx", "npz", "text-classes"])
@pytest.mark.parametrize("upload", [b"a,b\n1,2\n", b"", b"PK", b"good\nbad\n" * 500])
def test_a_file_of_another_format_than_declared_is_refused(format: str, upload: bytes) -> None:
    error = refusal(upload, format)
    assert (error.code, "no zip, tar or tar.gz" in error.detail) == ("archive_corrupt", True)


def test_a_pickle_is_refused_under_any_format() -> None:
    pickled = b"\x80\x04\x95\x0b\0\0\0\0\0\0\0\x8c\x02os\x94."
    for format in ("auto", "csv", "npz", "idx", "image-folder"):
        assert refusal(pickled, format).code in ("csv_invalid", "archive_corrupt")


def test_a_task_decides_between_a_table_and_a_series() -> None:
    upload = b"year,rain\n1990,5\n1991,6\n1992,5\n1993,7\n"
    assert ingest(upload).manifest["modality"] == "series"
    assert ingest(upload, task="regression").manifest["modality"] == "tabular"


@pytest.mark.parametrize(
    "options", [{"time": "when"}, {"gaps": "interpolate"}, {"known_ahead": ["y"]}, {"series": "y"}]
)
def test_an_option_of_series_is_not_passed_over(options: dict[str, Any]) -> None:
    assert refusal(b"a,y\n1,x\n2,y\n", **options).code in ("options_invalid", "series_invalid")
    assert refusal(b"a,y\n1,x\n2,y\n", "csv", **options).code == "options_invalid"
