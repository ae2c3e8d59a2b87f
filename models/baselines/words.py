"""The tag that each word has most often: what is known of words without looking at those around them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from models.metrics import Array
from shapes.tokens import NO_TARGET

Words = Sequence[str]


class MostFrequentTags:
    """Tags of words by how often they occurred; of words that did not occur, the most frequent tag of all."""

    def __init__(self, rows: Iterable[Words], targets_NL: Array) -> None:
        counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for words, targets in zip(rows, targets_NL.tolist(), strict=True):
            for word, target in zip(words, targets, strict=False):
                counts[word][target] += 1
        self._best = {word: _share(tags) for word, tags in counts.items()}
        self._usual = _share(sum(counts.values(), Counter()))

    def answer(self, rows: Iterable[Words], shape: Sequence[int]) -> Array:
        """The tags of words and their shares (N, L, 2) for the shape (N, L), padded."""
        answers = np.full((*shape, 2), NO_TARGET, np.float32)
        for row, words in zip(answers, rows, strict=True):
            row[: len(words)] = [self._best.get(word, self._usual) for word in words]
        return answers


def _share(tags: Counter[int]) -> tuple[int, float]:
    (tag, count), *_ = tags.most_common(1)
    return tag, count / tags.total()
