"""Metrics of a language model, from each row's logarithm of probability and its number of tokens. Shapes: N rows."""

from math import exp, log

import numpy as np

from models.metrics import Array, Scores

MAX_EXPONENT = 700.0
"""Beyond this an exponential is no longer a number."""


def language_scores(answers_N2: Array) -> Scores:
    """`perplexity`, exp of the cross-entropy of a token; the same in bits; and 1 / perplexity.

    That is the geometric mean of the tokens' probabilities.
    """
    total, count = answers_N2.sum(axis=0, dtype=np.float64)
    entropy = min(-total / count, MAX_EXPONENT)
    return {"perplexity": exp(entropy), "bits_per_token": entropy / log(2), "token_probability": exp(-entropy)}
