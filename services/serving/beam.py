"""Beam search: the best text that a version writes, of the few most probable ones at each step.

A text is judged by the mean logarithm of its tokens' probabilities, the end's included, since their sum favours short
ones (Wu et al. 2016, section 7, has a family of such norms). A beam of width 1 writes what the version's main graph
does. Shapes: B texts that are not at their end, K different tokens.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from services.serving.ranking import best
from shapes.tokens import BEGIN, END

Given = Mapping[str, np.ndarray]
"""What there is of each text beside its last token, (B, ...), by the name of the decoder's input."""
Step = Callable[[np.ndarray, Given], Awaitable[tuple[np.ndarray, Given]]]
"""From the last tokens (B,) and what else there is to the logarithms (B, K) of the next ones' probabilities, and that
of it which changes, the same at each step."""


@dataclass(frozen=True)
class Written:
    """Tokens, without the end, and the mean of their log-probabilities."""

    tokens: list[int]
    score: float


@dataclass(eq=False)
class Beam:
    """Texts that are written at once, the most probable first, and those that are at their end: `width` in all."""

    width: int
    max_length: int
    texts: list[list[int]] = field(default_factory=lambda: [[]])
    totals_B: np.ndarray = field(default_factory=lambda: np.zeros(1))
    """The logarithms of their probabilities."""
    ended: list[Written] = field(default_factory=list)

    @property
    def last_B(self) -> np.ndarray:
        """The last token of each."""
        return np.array([tokens[-1] if tokens else BEGIN for tokens in self.texts])

    def extend(self, logs_BK: np.ndarray) -> np.ndarray:
        """Go on by a token; answers the places (B,) of the texts that those which now go on come from."""
        totals_BK = self.totals_B[:, None] + logs_BK.astype(np.float64)
        texts: list[list[int]] = []
        totals, sources = [], []
        for place in best(totals_BK.reshape(-1), 2 * self.width).tolist():
            if len(texts) + len(self.ended) == self.width:
                break
            source, token = divmod(place, logs_BK.shape[1])
            tokens, total = [*self.texts[source], token], float(totals_BK[source, token])
            if token == END or len(tokens) == self.max_length:
                written = tokens[:-1] if token == END else tokens
                self.ended.append(Written(written, total / len(tokens)))
            else:
                texts.append(tokens)
                totals.append(total)
                sources.append(source)
        self.texts, self.totals_B = texts, np.array(totals)
        return np.array(sources, np.int64)


async def search(step: Step, given: Given, *, width: int, max_length: int) -> Written:
    """The best text of up to `max_length` tokens, for what an encoder has made of a row, (1, ...)."""
    beam = Beam(width, max_length)
    # What does not change is the same for all texts: it is copied once, and not at each step.
    copies = {name: np.repeat(array, width, axis=0) for name, array in given.items()}
    while beam.texts:
        logs_BK, changed = await step(beam.last_B, given)
        sources = beam.extend(logs_BK)
        same = {name: array[: len(sources)] for name, array in copies.items()}
        given = {**same, **{name: array[sources] for name, array in changed.items()}}
    return max(beam.ended, key=lambda written: written.score)
