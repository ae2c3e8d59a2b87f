"""`conll`: words and their tags in columns."""

from pathlib import Path

import pytest

from models.readers import conll
from models.readers.targets import MAX_CLASSES
from tests.models.readers.builders import Ingested, ingest, refusal, zip_of

CORPUS = b"-DOCSTART- -X- O\n\nEU NNP B-org\nrejects VBZ O\n\nPeter NNP B-per\nBlackburn NNP I-per\n"


def sentences(ingested: Ingested, split: str = "train") -> list[list[tuple[str, str]]]:
    classes = ingested.manifest["classes"]
    rows = zip(ingested.rows(split), ingested.rows(split, "targets"), strict=True)
    return [
        list(zip(bytes(words).decode().split("\n"), [classes[tag] for tag in tags], strict=True))
        for words, tags in rows
    ]


def test_words_are_tagged_by_the_last_column() -> None:
    ingested = ingest(CORPUS)
    assert sentences(ingested) == [[("EU", "B-org"), ("rejects", "O")], [("Peter", "B-per"), ("Blackburn", "I-per")]]
    assert ingested.manifest["classes"] == ["B-org", "B-per", "I-per", "O"]
    assert ingested.manifest["class_counts"] == {"train": [1, 1, 1, 1]}
    assert ingested.manifest["input"] == {"name": "tokens", "dtype": "string", "shape": [None]}
    assert ingested.manifest["target"] == {"name": "tags", "dtype": "int64", "shape": [None], "scheme": "iob"}


def test_another_column_can_be_the_tag() -> None:
    ingested = ingest(CORPUS, "conll", target="2")
    assert sentences(ingested)[0] == [("EU", "NNP"), ("rejects", "VBZ")]
    assert ingested.manifest["target"]["scheme"] is None
    for wish in ("1", "0", "tag", "", "9" * 30):
        assert refusal(CORPUS, "conll", target=wish).code == "options_invalid"
    assert "columns" in refusal(CORPUS, "conll", target="4").detail


def test_a_line_of_blanks_ends_a_sentence_and_columns_may_be_divided_by_tabs() -> None:
    ingested = ingest("New York\tB-loc\n\t\nis\tO\n\u00a0\tO\n".encode(), "conll")
    assert sentences(ingested) == [[("New York", "B-loc")], [("is", "O"), ("\u00a0", "O")]]


def test_splits_are_told_by_the_names_of_the_files_and_a_tag_may_be_missing_in_training() -> None:
    files = {"wnut17train.conll": b"a O\n\nb B-x\n", "x.dev.conll": b"c B-y\n", "x.test.annotated": b"d O\n"}
    ingested = ingest(zip_of(files))
    assert ingested.counts == {"train": 2, "validation": 1, "test": 1}
    assert ingested.manifest["class_counts"] == {"train": [1, 0, 1], "validation": [0, 1, 0], "test": [0, 0, 1]}


def test_whole_sentences_are_set_aside() -> None:
    corpus = b"\n".join(b"w%d O\nx%d B-a\n" % (i, i) for i in range(20))
    ingested = ingest(corpus, split={"test": 0.25})
    assert ingested.counts == {"train": 15, "test": 5}
    assert all(sentence[0][0][1:] == sentence[1][0][1:] for sentence in sentences(ingested, "test"))


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (b"a O\nb\n", ("Line 2", "1 columns")),
        (b"a O\nb NN O\n", ("Line 2", "3 columns")),
        (b"a\nb\n", ("Line 1", "1 columns")),
        (b"a\tO\nb\t\n", ("Line 2", "lacks the word or its tag")),
        (b"a O\n\xc3\x28 O\n", ("Line 2", "UTF-8")),
    ],
)
def test_ragged_columns_are_refused_by_their_line(upload: bytes, words: tuple[str, ...]) -> None:
    error = refusal(zip_of({"c.train": upload}), "conll")
    assert error.code == "text_invalid"
    assert "of 'c.train'" in error.detail
    assert all(word in error.detail for word in words)


def test_too_many_tags_and_endless_sentences_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = b"".join(b"w t%d\n" % i for i in range(MAX_CLASSES + 1))
    assert refusal(tags, "conll").code == "unsuitable_data"
    assert refusal(b"w " + b"x" * 201 + b"\n", "conll").code == "unsuitable_data"
    monkeypatch.setattr(conll, "MAX_WORDS", 10)
    assert "empty between sentences" in refusal(b"w O\n" * 11, "conll").detail


def test_wnut_17_is_read(test_data: Path) -> None:
    folder = test_data / "tagging" / "WNUT17"
    ingested = ingest(zip_of({path.name: path.read_bytes() for path in folder.iterdir()}))
    assert ingested.counts == {"train": 3394, "validation": 1009, "test": 1287}
    assert len(ingested.manifest["classes"]) == 13
    assert sum(ingested.manifest["class_counts"]["test"]) == 23_394
