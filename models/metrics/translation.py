"""Metrics of written texts (N,), held against the texts (N,) that should have been written.

BLEU is that of sacrebleu: corpus BLEU of up to four words in a row, tokenised by `13a`, smoothed by `exp`, from 0 to
100. Source: Papineni et al. 2002; Post 2018, A call for clarity in reporting BLEU scores.
Shapes: N rows, G = 4 lengths of words in a row, B resamples.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from models.metrics import Array, Scores
from models.metrics.intervals import Intervals, Resamples, percentiles, wilson
from models.metrics.resampling import resampled_sums

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU

WORDS_IN_A_ROW = 4


def translation_scores(targets_N: Array, answers_N: Array) -> Scores:
    """The share of exact matches, and BLEU; None where no text should have as many words in a row as are counted."""
    counts_NC = _counts(targets_N, answers_N)
    bleu = _bleu_of(counts_NC.sum(axis=0)) if _has_bleu(counts_NC) else None
    return {"exact_match": float((targets_N == answers_N).mean()), "bleu": bleu}


def translation_intervals(targets_N: Array, answers_N: Array) -> Intervals:
    """Of both."""
    right = int((targets_N == answers_N).sum())
    resamples = translation_resamples(targets_N, answers_N)
    return percentiles(resamples) | {"exact_match": wilson(right, len(targets_N))}


def translation_resamples(targets_N: Array, answers_N: Array) -> Resamples:
    """Of both, if there are both."""
    counts_NC = _counts(targets_N, answers_N)
    columns_NC = np.column_stack([counts_NC, targets_N == answers_N, np.ones(len(targets_N))])
    sums_BC = resampled_sums(columns_NC.astype(np.float64))
    found = {"exact_match": sums_BC[:, -2] / sums_BC[:, -1]}
    if _has_bleu(counts_NC):
        found["bleu"] = np.array([_bleu_of(sums) for sums in sums_BC[:, :-2]])
    return found


def sentence_bleu(targets_N: Array, answers_N: Array) -> Array:
    """The BLEU (N,) of each text by itself, over the lengths of words in a row that it has."""
    bleu = _bleu(effective_order=True)
    pairs = zip(targets_N, answers_N, strict=True)
    return np.array([bleu.sentence_score(answer, [target]).score for target, answer in pairs])


def _has_bleu(counts_NC: Array) -> bool:
    """Whether a text should have as many words as are counted in a row."""
    return bool((counts_NC[:, -1] >= WORDS_IN_A_ROW).any())


@cache
def _bleu(*, effective_order: bool) -> "BLEU":
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(effective_order=effective_order)


def _counts(targets_N: Array, answers_N: Array) -> Array:
    """(N, 2 G + 2) of each text: words in a row that are right, those that there are, and the lengths of both."""
    scores = (
        _bleu(effective_order=True).sentence_score(answer, [target])
        for target, answer in zip(targets_N, answers_N, strict=True)
    )
    return np.array([[*each.counts, *each.totals, each.sys_len, each.ref_len] for each in scores])


def _bleu_of(sums: Array) -> float:
    """From the sums of the counts of all texts."""
    from sacrebleu.metrics.bleu import BLEU

    numbers: list[Any] = sums.round().astype(int).tolist()
    half = (len(numbers) - 2) // 2
    return float(BLEU.compute_bleu(numbers[:half], numbers[half:-2], numbers[-2], numbers[-1], "exp").score)
