"""Text as the numbers that a network takes: fitted in training, carried by a version's signature, run at prediction."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Literal

Unit = Literal["characters", "words"]
PADDING, UNKNOWN = 0, 1
"""What fills a row up to the longest of its batch, and what was not seen in training."""
NO_TARGET = -1
"""What fills a row of targets, or of answers, up to the longest beside it: no class has this number."""
_FIRST = 2
Given = Literal["given"]
"""Not a unit to find in a text: it is words as they were given, a line each."""
_WORD = re.compile(r"\w+|[^\w\s]")


def composed(text: str) -> str:
    """A text in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", text)


def split(text: str, unit: Unit | Given) -> Iterable[str]:
    """The units of a text, composed: its characters, its words and other signs, or its lines."""
    if unit == "given":
        return composed(text).split("\n")
    return composed(text) if unit == "characters" else (match[0] for match in _WORD.finditer(composed(text)))


def spans(text: str) -> list[tuple[int, int]]:
    """Where the words and other signs of a composed text begin and end."""
    return [match.span() for match in _WORD.finditer(text)]


@dataclass(frozen=True)
class Tokenizer:
    """Gives each unit of a text its number, of the first `max_length` units."""

    unit: Unit | Given
    max_length: int
    vocabulary: tuple[str, ...]
    """The known units. The first one's number is 2."""
    spelling: int = 0
    """So many characters of each unit are read as well, and the unit itself in small letters, since they show which are
    large."""
    characters: tuple[str, ...] = ()
    """The known ones of these; their numbers follow those of the units."""

    @classmethod
    def fit(
        cls, texts: Iterable[str], unit: Unit | Given, *, size: int, max_length: int, spelling: int = 0
    ) -> "Tokenizer":
        """Know the `size` most frequent units of the texts; among equally frequent ones, the first by code points.

        Of their characters all are known.
        """
        counts, characters = Counter[str](), set[str]()
        for text in texts:
            for each in islice(split(text, unit), max_length):
                counts[each.lower() if spelling else each] += 1
                characters.update(each[:spelling])
        ordered = sorted(counts, key=lambda each: (-counts[each], each))
        return cls(unit, max_length, tuple(ordered[:size]), spelling, tuple(sorted(characters)))

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Tokenizer":
        """The tokeniser in the description of an input."""
        sequences = {name: tuple(described.get(name, ())) for name in ("vocabulary", "characters")}
        return cls(**{**described, **sequences})

    def as_json(self) -> dict[str, Any]:
        """As it stands in the description of an input."""
        described = {"unit": self.unit, "max_length": self.max_length, "vocabulary": list(self.vocabulary)}
        spelled = {"spelling": self.spelling, "characters": list(self.characters)}
        return described | (spelled if self.spelling else {})

    @property
    def num_tokens(self) -> int:
        """How many different numbers there are, those of padding and of the unknown included."""
        return len(self.vocabulary) + len(self.characters) + _FIRST

    @property
    def item_shape(self) -> tuple[int, ...]:
        """The shape of what stands for a unit: its number alone, or followed by those of its characters."""
        return (1 + self.spelling,) if self.spelling else ()

    def encode(self, text: str) -> list[Any]:
        """What stands for a text's units; none of a text without any."""
        units, numbers = islice(split(text, self.unit), self.max_length), self._numbers
        if self.spelling:
            return [self._spelled(each) for each in units]
        return [numbers.get(each, UNKNOWN) for each in units]

    def _spelled(self, unit: str) -> list[int]:
        letters = [self._letters.get(each, UNKNOWN) for each in unit[: self.spelling]]
        return [self._numbers.get(unit.lower(), UNKNOWN), *letters, *[PADDING] * (self.spelling - len(letters))]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {each: number for number, each in enumerate(self.vocabulary, _FIRST)}

    @cached_property
    def _letters(self) -> dict[str, int]:
        return {each: number for number, each in enumerate(self.characters, _FIRST + len(self.vocabulary))}
