"""Entities in tags, by worked examples of `seqeval.metrics.sequence_labeling.get_entities` and of CoNLL-2000."""

import pytest

from shapes.entities import Entity, entities, is_iob


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-PER I-PER O B-LOC", [("PER", 0, 2), ("LOC", 3, 4)]),
        ("B-PER B-PER I-PER", [("PER", 0, 1), ("PER", 1, 3)]),
        ("B-PER I-LOC I-LOC", [("PER", 0, 1), ("LOC", 1, 3)]),
        ("O I-MISC I-MISC O I-MISC", [("MISC", 1, 3), ("MISC", 4, 5)]),
        ("I-PER I-PER B-PER", [("PER", 0, 2), ("PER", 2, 3)]),
        ("B-a-b I-a-b I-a", [("a-b", 0, 2), ("a", 2, 3)]),
    ],
)
def test_entities_are_read_as_seqeval_reads_them(tags: str, expected: list[tuple[str, int, int]]) -> None:
    assert entities(tags.split()) == [Entity(*each) for each in expected]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(["O", "B-x", "I-x"], True), (["NN", "VB"], False), (["O", "B-"], False), (["O", "E-x"], False)],
)
def test_tags_of_entities_are_told_from_others(labels: list[str], expected: bool) -> None:
    assert is_iob(labels) is expected
