"""The words of a text that are to be tagged, and where they are in it."""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from shapes.tokens import composed, spans


class Words(NamedTuple):
    """A text in Unicode's composed form (NFC), and where each word begins and ends, in characters."""

    text: str
    spans: list[tuple[int, int]]

    @classmethod
    def found(cls, text: str) -> "Words":
        """The words and other signs of a text, which `shapes.tokens` tells apart."""
        text = composed(text)
        return cls(text, spans(text))

    @classmethod
    def of(cls, words: Sequence[str]) -> "Words":
        """Words as they are: the text is the words with blanks between them."""
        words = [composed(word) for word in words]
        ends = accumulate(len(word) + 1 for word in words)
        return cls(" ".join(words), [(end - 1 - len(word), end - 1) for word, end in zip(words, ends, strict=True)])

    @property
    def lines(self) -> str:
        """A word a line, as in training data."""
        return "\n".join(self.text[begin:end] for begin, end in self.spans)
