"""Text as the numbers that a network takes: fitted in training, carried by a version's signature, run at prediction."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any, Literal

import regex

from shapes import subwords, trees

Unit = Literal["characters", "words", "subwords"]
PADDING, UNKNOWN, BEGIN, END = range(4)
"""What fills a row up to the longest of its batch, what was not seen in training, and the marks of a text's ends."""
NO_TARGET = -1
"""What fills a row of targets, or of answers, up to the longest beside it: no class has this number."""
Given = Literal["given", "tree"]
"""No units to find in a text: it is words as they were given, a line each, or a tree of words in brackets."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What is read where a text had what is not known."""
_SIGN = r"(?:\w[\w\p{WB=Extend}\p{WB=Format}\p{WB=ZWJ}]*|(?![\w\s])\X)"
"""A word, with the marks and joiners that belong to what is before them (UAX 29), or another sign, as it is seen."""
_WORD = regex.compile(_SIGN)
_WORD_AND_BLANK = regex.compile(rf"\s?{_SIGN}")


def composed(text: str) -> str:
    """A text in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", text)


def spans(text: str) -> list[tuple[int, int]]:
    """Where the words and other signs of a composed text begin and end."""
    return [match.span() for match in _WORD.finditer(text)]


@dataclass(frozen=True)
class Tokenizer:
    """Gives each unit of a text its number, of the first `max_length` units."""

    unit: Unit | Given
    max_length: int
    vocabulary: tuple[str, ...]
    """The known units, in the order of their numbers."""
    spelling: int = 0
    """So many characters of each unit are read as well, and the unit itself in small letters, since they show which are
    large."""
    characters: tuple[str, ...] = ()
    """The known ones of these; their numbers follow those of the units."""
    marked: bool = False
    """Whether texts are to be written again: then `END` follows each that is read to its end, and units joined are the
    text, since a word has the blank before it."""
    merges: str | None = None
    """Of subwords: what says how they are cut (see `shapes.subwords`)."""

    @classmethod
    def fit(
        cls,
        texts: Iterable[str],
        unit: Unit | Given,
        *,
        size: int,
        max_length: int,
        spelling: int = 0,
        marked: bool = False,
    ) -> "Tokenizer":
        """Know the `size` most frequent units of the texts; among equally frequent ones, the first by code points.

        Of their characters all are known.

        Raises:
            ValueError: so few subwords cannot be, since the characters are more.
        """
        merges = subwords.fit(map(composed, texts := list(texts)), size) if unit == "subwords" else None
        reading = cls(unit, max_length, (), spelling, (), marked, merges)
        counts, characters = Counter[str](), set[str]()
        for text in texts:
            for each in islice(reading.split(text), max_length):
                counts[each.lower() if spelling else each] += 1
                characters.update(each[:spelling])
        ordered = sorted(counts, key=lambda each: (-counts[each], each))
        vocabulary = ordered[:size] if merges is None else subwords.known(merges)
        return replace(reading, vocabulary=tuple(vocabulary), characters=tuple(sorted(characters)))

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Tokenizer":
        """The tokeniser in the description of an input or of an output."""
        sequences = {name: tuple(described.get(name, ())) for name in ("vocabulary", "characters")}
        return cls(**{**described, **sequences})

    def as_json(self) -> dict[str, Any]:
        """As it stands in the description of an input or of an output."""
        described = {"unit": self.unit, "max_length": self.max_length, "vocabulary": list(self.vocabulary)}
        spelled = {"spelling": self.spelling, "characters": list(self.characters)} if self.spelling else {}
        others = {"marked": self.marked, "merges": self.merges}
        return described | spelled | {name: value for name, value in others.items() if value}

    @property
    def num_tokens(self) -> int:
        """How many different numbers there are, those of padding and of the unknown included."""
        return self._first + len(self.vocabulary) + len(self.characters)

    @property
    def item_shape(self) -> tuple[int, ...]:
        """The shape of what stands for a unit: its number alone, or followed by those of its characters.

        Of a tree it is what stands for a node (see `encode`).
        """
        if self.unit == "tree":
            return (4,)
        return (1 + self.spelling,) if self.spelling else ()

    @cached_property
    def labels(self) -> list[str]:
        """What each number stands for in a text: padding and marks for nothing."""
        units = [each.replace(subwords.BLANK, " ") if self.merges else each for each in self.vocabulary]
        return ["", REPLACEMENT, "", ""][: self._first] + units

    def encode(self, text: str) -> list[Any]:
        """What stands for a text's units, and `END` if they are `marked` and all read; else none of a text without any.

        A tree is its nodes, children before parents: the number of a leaf's word, or 0; the places of the two children,
        counted from 1, or 0 twice; and the height above the leaves.

        Raises:
            Malformed: it is no tree.
        """
        if self.unit == "tree":
            return [self._node(node) for node in trees.parse(composed(text))]
        units, numbers = list(islice(self.split(text), self.max_length + 1)), self._numbers
        read = units[: self.max_length]
        if self.spelling:
            return [self._spelled(each) for each in read]
        ends = self.marked and len(read) == len(units)
        return [numbers.get(each, UNKNOWN) for each in read] + [END] * ends

    def begin(self, label: int | None = None) -> int:
        """The mark before a text that is written: one for all, or behind all tokens one for each class."""
        return BEGIN if label is None else self.num_tokens + label

    def text(self, tokens: Iterable[int]) -> str:
        """What a row of tokens stands for; what is below 0 is padding."""
        return "".join(self.labels[token] for token in tokens if token >= 0).strip()

    def fits(self, text: str) -> bool:
        """Whether a text has no more units than are read."""
        if len(composed(text)) <= self.max_length:  # a unit is a character or more
            return True
        return next(islice(self.split(text), self.max_length, None), None) is None

    def split(self, text: str) -> Iterable[str]:
        """The units of a text, composed: its characters, its words and other signs, its subwords, its lines, or the
        leaves of its tree.

        Raises:
            Malformed: it is no tree.
        """
        text = composed(text)
        if self.unit == "tree":
            return (node.word for node in trees.parse(text) if node.word is not None)
        if self.unit == "given":
            return text.split("\n")
        if self.unit == "characters":
            return text
        if self.unit == "subwords":
            return subwords.split(text, self.merges or "")
        if self.marked:  # the first word has a blank before it as well
            return (match[0] for match in _WORD_AND_BLANK.finditer(" " + text.strip()))
        return (match[0] for match in _WORD.finditer(text))

    def _node(self, node: trees.Node) -> list[int]:
        word = PADDING if node.word is None else self._numbers.get(node.word, UNKNOWN)
        return [word, node.left + 1, node.right + 1, node.height]

    def _spelled(self, unit: str) -> list[int]:
        letters = [self._letters.get(each, UNKNOWN) for each in unit[: self.spelling]]
        return [self._numbers.get(unit.lower(), UNKNOWN), *letters, *[PADDING] * (self.spelling - len(letters))]

    @property
    def _first(self) -> int:
        """The number of the first known unit."""
        return 1 + (END if self.marked else UNKNOWN)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {each: number for number, each in enumerate(self.vocabulary, self._first)}

    @cached_property
    def _letters(self) -> dict[str, int]:
        return {each: number for number, each in enumerate(self.characters, self._first + len(self.vocabulary))}
