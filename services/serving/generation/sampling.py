"""The next token of a text: chosen by a draw from what a network says of all tokens. K different tokens.

All is computed in float64 for one text by itself, so that nothing beside it can change it.
"""

from dataclasses import dataclass

import numpy as np

from services.serving.ranking import best
from shapes.tokens import END


@dataclass(frozen=True)
class Manner:
    """How tokens are chosen: what is improbable may be made rarer, or be left out."""

    temperature: float = 1.0
    """What logarithms are divided by: near 0 the most probable token is chosen each time."""
    top_k: int | None = None
    """Only so many of the most probable ones (Fan et al. 2018)."""
    top_p: float = 1.0
    """Only as many of the most probable ones as have this probability together (Holtzman et al. 2020)."""


def pick(logs_K: np.ndarray, draw: float, manner: Manner) -> int:
    """The token for a draw from [0, 1), given the logarithms of the tokens' probabilities.

    It is the end or a part of a text: other marks are never chosen. Of equally probable tokens the first are kept.
    """
    allowed_K = logs_K.astype(np.float64)
    allowed_K[:END] = -np.inf
    shares_K = np.exp((allowed_K - allowed_K.max()) / manner.temperature)
    shares_K /= shares_K.sum()
    ends_K = np.cumsum(_kept(shares_K, manner))
    # Below the last end even where rounding says otherwise, so that there is always a token.
    place = min(draw * ends_K[-1], np.nextafter(ends_K[-1], 0.0))
    return int(np.searchsorted(ends_K, place, side="right"))


def _kept(shares_K: np.ndarray, manner: Manner) -> np.ndarray:
    """The shares (K,) of the tokens that may be chosen, and 0 for the others."""
    if manner.top_k is None and manner.top_p == 1:
        return shares_K
    kept = best(shares_K, manner.top_k or len(shares_K))
    sums = np.cumsum(shares_K[kept])
    kept = kept[: 1 + int(np.searchsorted(sums, manner.top_p * sums[-1], side="left"))]
    kept_K = np.zeros_like(shares_K)
    kept_K[kept] = shares_K[kept]
    return kept_K
