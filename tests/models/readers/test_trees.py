"""`trees`: a binary tree a line."""

from pathlib import Path

import pytest

from models.readers.targets import MAX_CLASSES
from tests.models.readers.builders import ingest, refusal, zip_of

TREES = b"(1 (0 not) (1 bad))\r\n\n  (0 (0 not) (0 good))\n"


def test_the_target_is_the_label_of_the_root_and_the_text_is_kept() -> None:
    ingested = ingest(TREES)
    assert (ingested.manifest["modality"], ingested.manifest["task"]) == ("tree", "classification")
    assert [bytes(row) for row in ingested.rows()] == [b"(1 (0 not) (1 bad))", b"(0 (0 not) (0 good))"]
    assert (ingested.manifest["classes"], ingested.targets().tolist()) == (["0", "1"], [1, 0])


def test_labels_are_ordered_by_name_in_all_splits() -> None:
    ingested = ingest(zip_of({"b-train.txt": b"(z a)\n(y a)\n(x a)\n", "b-test.txt": b"(x a)\n"}))
    assert (ingested.manifest["classes"], ingested.targets().tolist()) == (["x", "y", "z"], [2, 1, 0])
    assert ingested.targets("test").tolist() == [0]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"(1 (0 not) (1 bad)", "never closed"),
        (b"(1 (0 a) (0 b) (0 c))", "binarise"),
        (b"(1 (0 a))", "1 children"),
        (b"(" * 100_000, "nests more than"),
        (b"good film", "bracket"),
        (b"(1 \xff)", "UTF-8"),
    ],
)
def test_what_is_no_binary_tree_is_refused_by_its_line(line: bytes, word: str) -> None:
    error = refusal(zip_of({"dev.txt": b"(1 a)\n" + line}), "trees")
    assert error.code == "text_invalid"
    assert "Line 2 of 'dev.txt'" in error.detail
    assert word in error.detail


def test_a_label_of_a_node_is_a_class_though_no_root_has_it() -> None:
    ingested = ingest(b"(S (NP a) (NP b))\n(S (VP a) (NP b))\n(VP a)\n", "trees")
    assert ingested.manifest["classes"] == ["NP", "S", "VP"]
    assert ingested.manifest["class_counts"] == {"train": [0, 2, 1]}


def test_too_many_labels_are_refused() -> None:
    many = b"".join(b"(%d a)\n" % i for i in range(MAX_CLASSES + 1))
    assert refusal(many, "trees").code == "unsuitable_data"


def test_the_sentiment_treebank_is_read(test_data: Path) -> None:
    ingested = ingest(zip_of({path.name: path.read_bytes() for path in (test_data / "sst-trees").iterdir()}))
    assert ingested.counts == {"train": 8544, "validation": 1101, "test": 2210}
    assert ingested.manifest["class_counts"]["test"] == [279, 633, 389, 510, 399]
