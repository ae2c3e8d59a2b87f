"""Synthetic sequences are what they are said to be."""

from functools import cache

import numpy as np
import pytest

from models.readers import sequences
from shapes.trees import parse
from tests.models.readers.builders import Ingested, ingest

SPLITS = ("train", "validation", "test")


@cache
def read(name: str) -> Ingested:
    return ingest(None, "builtin", builtin=name)


def texts(name: str, split: str, part: str = "inputs") -> list[str]:
    return [bytes(row).decode() for row in read(name).rows(split, part)]


@pytest.mark.parametrize("split", SPLITS)
def test_the_sum_of_two_marked_numbers_is_asked(split: str) -> None:
    adding = read("adding")
    rows = np.stack(list(adding.rows(split)))
    numbers, marks = rows[..., 0], rows[..., 1]
    half = sequences.ADDING_STEPS // 2
    assert rows.shape[1:] == (100, 2)
    assert (marks[:, :half].sum(axis=1) == 1).all()
    assert (marks[:, half:].sum(axis=1) == 1).all()
    np.testing.assert_allclose((numbers * marks).sum(axis=1), adding.targets(split), rtol=1e-6)


def test_whoever_always_answers_1_errs_by_a_sixth() -> None:
    errors = (read("adding").targets().astype(np.float64) - 1) ** 2
    assert errors.mean() == pytest.approx(1 / 6, abs=5 * errors.std() / len(errors) ** 0.5)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("name", "step"), [("copy", 1), ("reverse", -1)])
def test_words_are_repeated(name: str, step: int, split: str) -> None:
    words = texts(name, split)
    assert texts(name, split, "targets") == [word[::step] for word in words]
    assert {len(word) for word in words} == set(range(1, sequences.LONGEST_WORD + 1))


@pytest.mark.parametrize("split", SPLITS)
def test_every_node_of_a_boolean_tree_has_its_value(split: str) -> None:
    booleans = read("booleans")
    roots = booleans.targets(split)
    for text, root in zip(texts("booleans", split), roots, strict=True):
        nodes = parse(text)
        assert int(nodes[-1].label) == root
        for node in nodes:
            value = (
                node.word
                if node.word is not None
                else str(1 - int(nodes[node.left].label) * int(nodes[node.right].label))
            )
            assert node.label == value
    assert 0.3 < roots.mean() < 0.7


def test_sines_have_their_power_and_periods() -> None:
    rows = np.stack(list(read("sines").rows()))[..., 0].astype(np.float64)
    assert rows.shape == (sequences.SINES, sequences.SINE_STEPS)
    # The power of each sine is half the mean square of its amplitude, which is uniform from 0.5 to 1.5.
    assert (rows**2).mean() == pytest.approx(2 * (1 + 1 / 12) / 2 + 0.1**2, rel=0.2)
    power = np.abs(np.fft.rfft(rows, axis=1)) ** 2
    periods = sequences.SINE_STEPS / np.maximum(np.arange(power.shape[1]), 1)
    inside = ((periods >= 7) & (periods <= 18)) | ((periods >= 17) & (periods <= 48))
    assert power[:, inside].sum() / power[:, 1:].sum() > 0.95
