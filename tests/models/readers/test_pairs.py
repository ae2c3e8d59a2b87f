"""`pairs`: two texts a line."""

from pathlib import Path

import pytest

from tests.models.readers.builders import Ingested, ingest, refusal, zip_of

PAIRS = "Go.\tVa !\tCC-BY by someone\r\nI won.\tJ’ai gagné.\tCC-BY\r\n\n".encode()


def pairs(ingested: Ingested, split: str = "train") -> list[tuple[str, str]]:
    sides = (ingested.rows(split), ingested.rows(split, "targets"))
    return [(bytes(text).decode(), bytes(target).decode()) for text, target in zip(*sides, strict=True)]


def test_both_texts_are_kept_and_more_columns_are_let_be() -> None:
    ingested = ingest(PAIRS)
    assert pairs(ingested) == [("Go.", "Va !"), ("I won.", "J’ai gagné.")]
    assert (ingested.manifest["modality"], ingested.manifest["task"]) == ("text", "translation")
    assert ingested.manifest["target"] == {"name": "target", "dtype": "string", "shape": []}
    assert ingested.manifest["classes"] is None


def test_pairs_can_be_turned_round() -> None:
    assert pairs(ingest(PAIRS, target="1"))[0] == ("Va !", "Go.")
    for wish in ("3", "french", ""):
        assert refusal(PAIRS, "pairs", target=wish).code == "options_invalid"


def test_files_are_told_by_their_names_and_shares_set_aside() -> None:
    lines = b"".join(b"a %d\tb %d\n" % (i, i) for i in range(20))
    ingested = ingest(zip_of({"x-train.tsv": lines, "x-valid.tsv": lines[:48], "readme.md": b"no pairs"}))
    assert ingested.counts == {"train": 20, "validation": 6}
    assert ingest(lines, split={"test": 0.25}).counts == {"train": 15, "test": 5}
    carved = ingest(lines, split={"test": 0.25})
    assert all(text[1:] == target[1:] for split in ("train", "test") for text, target in pairs(carved, split))


def test_a_pair_with_an_empty_side_is_set_aside() -> None:
    ingested = ingest(b"a b\tc d\n\tx\ny\t \nc\td e\n", "pairs")
    assert (ingested.counts, ingested.manifest["skipped"]["count"]) == ({"train": 2}, 2)


@pytest.mark.parametrize(
    ("upload", "place"),
    [
        (b"a\tb\nno tab here\n", "Line 2 has no tab"),
        (b"hello\tsalut\nbye\tau\trevoir\n", "Line 2 has 3 columns, and those before it 2"),
        (b"a\tb\tc\nd\te\n", "Line 2 has 2 columns, and those before it 3"),
        (b"a\tb\nc\t\xff\n", "Line 2 is not valid UTF-8"),
        (zip_of({"fra.txt": b"a\tb\nno tab\n"}), "Line 2 of 'fra.txt' has no tab"),
    ],
)
def test_a_line_that_is_no_pair_is_refused_by_its_place(upload: bytes, place: str) -> None:
    error = refusal(upload, "pairs")
    assert error.code == "text_invalid"
    assert place in error.detail


def test_a_line_of_a_gigabyte_is_refused_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "endless"
    with path.open("wb") as file:
        file.write(b"a\tb\n")
        file.truncate(2**30)
    assert "Line 2 is longer" in refusal(path, "pairs").detail


def test_nothing_to_read_is_refused() -> None:
    assert refusal(b"\n\n", "pairs").code == "unsuitable_data"
    assert refusal(zip_of({"README": b"x"}), "pairs").code == "text_invalid"


def test_english_and_french_are_read(test_data: Path) -> None:
    ingested = ingest(test_data / "translation" / "fra-eng.zip")
    assert ingested.counts == {"train": 142_787}
    assert ingested.rows("train")[0].tobytes() == b"Go."
