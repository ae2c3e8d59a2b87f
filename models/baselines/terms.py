"""From texts to the numbers that classical learners take: how much each short string of letters says of a text.

Strings of 1 to 4 letters within words, the blanks around a word among them, weighted by TF-IDF with the logarithms of
counts (Spärck Jones 1972; Cavnar and Trenkle 1994 for strings of letters). Of a tree the text of its leaves is read.
Shapes: N rows, G strings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.data import DataSet
from models.examples import Examples
from shapes.tokens import composed
from shapes.trees import parse

LONGEST = 4
MAX_TERMS = 50_000
"""The most frequent strings that are told apart."""


@dataclass(frozen=True)
class Terms:
    """Strings of letters and how rare they are, by some rows."""

    dataset: DataSet
    vectorizer: Any
    """scikit-learn's `TfidfVectorizer`."""

    @classmethod
    def fitted(cls, dataset: DataSet, train: Examples) -> "Terms":
        """Fitted to these rows alone."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(1, LONGEST),
            lowercase=False,
            sublinear_tf=True,
            max_features=MAX_TERMS,
            dtype=np.float32,
        )
        vectorizer.fit(_texts(dataset, train))
        return cls(dataset, vectorizer)

    @property
    def detail(self) -> str:
        """For people: what the learners see of a row."""
        return f"TF-IDF of {len(self.vectorizer.vocabulary_):,} strings of 1 to {LONGEST} letters"

    def of(self, examples: Examples) -> Any:
        """The weights (N, G) of the examples, a sparse matrix of scipy's."""
        return self.vectorizer.transform(_texts(self.dataset, examples))


def _texts(dataset: DataSet, examples: Examples) -> Iterator[str]:
    texts = map(composed, dataset.texts(examples.source, examples.rows))
    if dataset.modality != "tree":
        return texts
    return (" ".join(node.word for node in parse(text) if node.word is not None) for text in texts)
