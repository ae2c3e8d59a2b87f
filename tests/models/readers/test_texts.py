"""`text-folder` and `text-classes`: texts of classes, honest and hostile."""

from pathlib import Path

import numpy as np
import pytest

from models.readers.targets import MAX_CLASSES
from models.readers.text_files import MAX_LINE_BYTES
from models.readers.texts import MAX_DOCUMENT_CHARACTERS
from tests.models.readers.builders import TMP, Ingested, ingest, refusal, tar_of, zip_of

DOCUMENTS = {
    "news/1.txt": b"first\r\nsecond",
    "news/2.txt": "\ufeffdéjà vu\n".encode("utf-8"),
    "poems/1.txt": b"\n rose \n",
}
EXAMPLES = {"pos.txt": b"good\nvery good  \n\n", "neg.txt": b"bad\r\nawful"}


def texts(ingested: Ingested, split: str = "train") -> list[str]:
    return [bytes(row).decode() for row in ingested.rows(split)]


@pytest.mark.parametrize("pack", [zip_of, tar_of, lambda files: tar_of(files, "w:gz")])
def test_a_document_is_a_file_of_the_folder_of_its_class(pack) -> None:  # type: ignore[no-untyped-def]
    ingested = ingest(pack(DOCUMENTS))
    assert (ingested.manifest["modality"], ingested.manifest["task"]) == ("text", "classification")
    assert ingested.manifest["input"] == {"name": "text", "dtype": "string", "shape": []}
    assert ingested.manifest["classes"] == ["news", "poems"]
    assert ingested.manifest["splits"] == {"train": {"count": 3, "longest": 12, "total": 25}}
    assert texts(ingested) == ["first\nsecond", "déjà vu", "rose"]
    assert ingested.targets().tolist() == [0, 0, 1]


def test_an_example_is_a_line_of_the_file_of_its_class() -> None:
    ingested = ingest(zip_of({"LICENSE": b"free", "data.bin": b"x", **EXAMPLES}), "text-classes")
    assert dict(zip(texts(ingested), ingested.targets().tolist(), strict=True)) == {
        "good": 1,
        "very good": 1,
        "bad": 0,
        "awful": 0,
    }
    reasons = {item["entry"]: item["reason"] for item in ingested.manifest["skipped"]["examples"]}
    assert set(reasons) == {"LICENSE", "data.bin", "pos.txt, line 3"}


@pytest.mark.parametrize("format", ["text-folder", "text-classes"])
def test_splits_lie_above_the_classes(format: str) -> None:
    files: dict[str, bytes] = {}
    for split, count in (("train", 4), ("dev", 2), ("testing", 1)):
        for name in "ab":
            path = f"top/{split}/{name}"
            if format == "text-classes":
                files[f"{path}.txt"] = b"text\n" * count
            else:
                files |= {f"{path}/{i}.txt": b"text" for i in range(count)}
    ingested = ingest(zip_of(files))
    assert f"The upload is of the format {format}." in ingested.reporter.lines
    assert ingested.counts == {"train": 8, "validation": 4, "test": 2}
    assert ingested.manifest["class_counts"] == {"train": [4, 4], "validation": [2, 2], "test": [1, 1]}


def test_shares_of_every_class_are_set_aside() -> None:
    files = {f"{name}.txt": b"".join(b"%s%d\n" % (name.encode(), i) for i in range(20)) for name in "ab"}
    ingested = ingest(zip_of(files), split={"test": 0.2})
    assert ingested.manifest["class_counts"] == {"train": [16, 16], "test": [4, 4]}
    assert len(set(texts(ingested)) | set(texts(ingested, "test"))) == 40
    for split in ("train", "test"):
        labels = [text[0] for text in texts(ingested, split)]
        assert labels == ["ab"[target] for target in ingested.targets(split)]


def test_texts_may_be_without_labels() -> None:
    ingested = ingest(zip_of(EXAMPLES), target="")
    assert (ingested.manifest["task"], ingested.manifest["target"], ingested.counts) == (None, None, {"train": 4})


def test_what_is_neither_folder_nor_text_is_set_aside() -> None:
    ingested = ingest(zip_of({**DOCUMENTS, "stray.txt": b"x", "news/empty.txt": b" \n"}), "text-folder")
    reasons = {item["entry"]: item["reason"] for item in ingested.manifest["skipped"]["examples"]}
    assert reasons == {"stray.txt": "lies in no class folder, as others do", "news/empty.txt": "empty text"}


@pytest.mark.parametrize("format", ["text-folder", "text-classes"])
@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"fine\n\xff\xfe\xfa\n", "UTF-8"),
        ("fine".encode("utf-16"), "UTF-16"),
        (b"fine\na\0b\n", "NUL"),
        (b"fine\n" + b"x" * (MAX_LINE_BYTES + 10), "longer than"),
    ],
)
def test_a_file_that_is_no_text_is_refused_by_name(format: str, content: bytes, word: str) -> None:
    name = "a/bad.txt" if format == "text-folder" else "a.txt"
    error = refusal(zip_of({name: content, "b/ok.txt" if "/" in name else "b.txt": b"ok"}), format)
    assert error.code == "text_invalid"
    assert repr(name) in error.detail
    assert word in error.detail
    assert not list(TMP.path.rglob("*.npy"))


def test_a_document_is_of_bounded_length() -> None:
    long = b"0123456789abcde\n" * (MAX_DOCUMENT_CHARACTERS // 16 + 1)
    error = refusal(zip_of({"a/long.txt": long, "b/x.txt": b"ok"}), "text-folder")
    assert (error.code, "'a/long.txt'" in error.detail) == ("text_invalid", True)


def test_a_line_without_end_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "endless.tar"
    path.write_bytes(tar_of({"a.txt": b"x" * (3 * MAX_LINE_BYTES)}))
    assert "Line 1 of 'a.txt' is longer" in refusal(path, "text-classes").detail


def test_too_many_classes_are_refused() -> None:
    files = {f"c{i}.txt": b"x" for i in range(MAX_CLASSES + 1)}
    assert refusal(zip_of(files)).code == "unsuitable_data"


@pytest.mark.parametrize("format", ["text-folder", "text-classes"])
def test_an_archive_without_texts_and_one_of_one_class_are_refused(format: str) -> None:
    assert refusal(zip_of({"a/1.png": b"x"}), format).code == "text_invalid"
    assert refusal(zip_of({"a/1.txt": b"x", "a/2.txt": b"y"}), "text-folder").code == "unsuitable_data"
    assert "regression" in refusal(zip_of(EXAMPLES), format, task="regression").detail


def test_names_of_18_languages_are_read(test_data: Path) -> None:
    ingested = ingest(zip_of({f"names/{path.name}": path.read_bytes() for path in (test_data / "names").iterdir()}))
    assert ingested.counts == {"train": 20_050}
    assert len(ingested.manifest["classes"]) == 18
    counts = dict(zip(ingested.manifest["classes"], ingested.manifest["class_counts"]["train"], strict=True))
    assert (counts["Russian"], counts["Vietnamese"]) == (9384, 73)
    assert "Śliwa" in texts(ingested) or any(ord(letter) > 127 for text in texts(ingested) for letter in text)


def test_reviews_are_read(test_data: Path) -> None:
    folder = test_data / "sentiment"
    ingested = ingest(zip_of({f"{name}.txt": (folder / f"rt-polarity.{name}").read_bytes() for name in ("pos", "neg")}))
    assert ingested.manifest["class_counts"] == {"train": [5331, 5331]}
    assert ingested.targets().dtype == np.int64
