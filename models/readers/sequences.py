"""Sequences, series and trees drawn with a fixed seed: problems of memory whose answer is known.

The docstring of each is its definition. U(a, b) is the uniform distribution from a to b, N(m, s²) the normal one.
"""

import string
from collections.abc import Callable, Iterable

import numpy as np

from models.readers.source import Source
from models.readers.texts import TEXT
from models.readers.trees import TREE
from models.readers.writer import LABEL, Array, DatasetWriter, Description

_SEED = 0
ADDING_STEPS = 100
ADDING_ROWS = {"train": 4000, "validation": 500, "test": 500}
PAIR_ROWS = {"train": 8000, "validation": 1000, "test": 1000}
LONGEST_WORD = 20
TREE_ROWS = {"train": 4000, "validation": 500, "test": 1000}
MOST_LEAVES = 16


def adding(source: Source, writer: DatasetWriter) -> Description:
    """The sum of two marked numbers, 100 steps long (Hochreiter and Schmidhuber 1997).

    At each step a number of U(0, 1) and a mark, which is 1 at one step of the first half and one of the second, else 0.
    The target is the sum of the two marked numbers; whoever always answers 1 has a mean squared error of 1/6.
    """
    generator = np.random.default_rng(_SEED)
    for split, count in ADDING_ROWS.items():
        numbers, marks = generator.random((count, ADDING_STEPS)), np.zeros((count, ADDING_STEPS))
        half = ADDING_STEPS // 2
        for begin in (0, half):
            marks[np.arange(count), begin + generator.integers(0, half, count)] = 1
        for series in np.stack([numbers, marks], axis=2).astype(np.float32):
            writer.ragged(split, "inputs", np.float32, (2,)).add(series)
        writer.targets(split, np.float32).append((numbers * marks).sum(axis=1))
    columns = [{"name": name, "kind": "numeric", "role": "past"} for name in ("number", "mark")]
    return Description(
        modality="series",
        task="regression",
        classes=None,
        input={"name": "series", "dtype": "float32", "shape": [None, len(columns)], "columns": columns},
        target={"name": "sum", "dtype": "float32", "shape": []},
    )


SINES = 40
SINE_STEPS = 240


def sines(source: Source, writer: DatasetWriter) -> Description:
    """40 series of 240 steps to forecast, each the sum of two sines and N(0, 0.1²).

    Their periods are of U(8, 16) and U(20, 40) steps, their amplitudes of U(0.5, 1.5), their phases any.
    """
    generator = np.random.default_rng(_SEED)
    step = np.arange(SINE_STEPS)
    for _ in range(SINES):
        value = generator.normal(0, 0.1, SINE_STEPS)
        for shortest, longest in ((8, 16), (20, 40)):
            period, amplitude, phase = generator.uniform((shortest, 0.5, 0), (longest, 1.5, 2 * np.pi))
            value += amplitude * np.sin(2 * np.pi * step / period + phase)
        writer.ragged("train", "inputs", np.float32, (1,)).add(value[:, None].astype(np.float32))
    described = {
        "name": "series",
        "dtype": "float32",
        "shape": [None, 1],
        "columns": [{"name": "value", "kind": "numeric", "role": "target"}],
        "time": {"name": "step", "unit": "index", "step": 1},
        "series": [{"id": str(k), "start": "0", "steps": SINE_STEPS} for k in range(SINES)],
    }
    return Description("series", "forecasting", None, described, None)


def copy(source: Source, writer: DatasetWriter) -> Description:
    """10,000 words of 1 to 20 letters, all as likely, and the same word again."""
    return _words(writer, lambda word: word)


def reverse(source: Source, writer: DatasetWriter) -> Description:
    """10,000 words of 1 to 20 letters, all as likely, and the word from back to front."""
    return _words(writer, lambda word: word[::-1])


def write_pairs(writer: DatasetWriter, split: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Inputs and targets, both text."""
    for text, target in pairs:
        writer.ragged(split, "inputs").add_text(text)
        writer.ragged(split, "targets").add_text(target)


def pairs_described() -> Description:
    """What pairs of texts are for."""
    return Description("text", "translation", None, TEXT, TEXT | {"name": "target"})


def _words(writer: DatasetWriter, answer: Callable[[str], str]) -> Description:
    generator = np.random.default_rng(_SEED)
    letters = np.array(list(string.ascii_lowercase))
    for split, count in PAIR_ROWS.items():
        lengths = generator.integers(1, LONGEST_WORD + 1, count)
        words = ["".join(generator.choice(letters, length)) for length in lengths]
        write_pairs(writer, split, ((word, answer(word)) for word in words))
    return pairs_described()


def booleans(source: Source, writer: DatasetWriter) -> Description:
    """Trees of the operation "not both": a node of two trees is 0 if both are 1, else 1.

    A tree has from 2 to 16 leaves, all numbers of them as likely, each 0 or 1; where a tree is divided into two is
    drawn too. Every boolean function can be written so (Sheffer 1913). Every node is labelled with its value.
    """
    generator = np.random.default_rng(_SEED)
    for split, count in TREE_ROWS.items():
        drawn = [_tree(int(leaves), generator) for leaves in generator.integers(2, MOST_LEAVES + 1, count)]
        for text, _ in drawn:
            writer.ragged(split, "inputs").add_text(text)
        writer.targets(split, np.int64).append(_values(drawn))
    return Description("tree", "classification", ["0", "1"], TREE, LABEL)


def _tree(leaves: int, generator: np.random.Generator) -> tuple[str, int]:
    """A tree of so many leaves, and its value."""
    if leaves == 1:
        value = int(generator.integers(0, 2))
        return f"({value} {value})", value
    left = int(generator.integers(1, leaves))
    (left_text, left_value), (right_text, right_value) = _tree(left, generator), _tree(leaves - left, generator)
    value = 1 - left_value * right_value
    return f"({value} {left_text} {right_text})", value


def _values(drawn: list[tuple[str, int]]) -> Array:
    return np.array([value for _, value in drawn])
