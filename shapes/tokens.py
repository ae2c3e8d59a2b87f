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
_WORD = re.compile(r"\w+|[^\w\s]")


def split(text: str, unit: Unit) -> Iterable[str]:
    """The units of a text in Unicode's composed form (NFC): its characters, or its words and other signs."""
    composed = unicodedata.normalize("NFC", text)
    return composed if unit == "characters" else (match[0] for match in _WORD.finditer(composed))


@dataclass(frozen=True)
class Tokenizer:
    """Gives each unit of a text its number, of the first `max_length` units."""

    unit: Unit
    max_length: int
    vocabulary: tuple[str, ...]
    """The known units. The first one's number is 2."""

    @classmethod
    def fit(cls, texts: Iterable[str], unit: Unit, *, size: int, max_length: int) -> "Tokenizer":
        """Know the `size` most frequent units of the texts; among equally frequent ones, the first by code points."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(islice(split(text, unit), max_length))
        ordered = sorted(counts, key=lambda each: (-counts[each], each))
        return cls(unit, max_length, tuple(ordered[:size]))

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> "Tokenizer":
        """The tokeniser in the description of an input."""
        return cls(described["unit"], described["max_length"], tuple(described["vocabulary"]))

    def as_json(self) -> dict[str, Any]:
        """As it stands in the description of an input."""
        return {"unit": self.unit, "max_length": self.max_length, "vocabulary": list(self.vocabulary)}

    @property
    def num_tokens(self) -> int:
        """How many different numbers there are, those of padding and of the unknown included."""
        return len(self.vocabulary) + _FIRST

    def encode(self, text: str) -> list[int]:
        """The numbers of a text's units; none of a text without any."""
        numbers = self._numbers
        return [numbers.get(each, UNKNOWN) for each in islice(split(text, self.unit), self.max_length)]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {each: number for number, each in enumerate(self.vocabulary, _FIRST)}
