"""Tests of whether two versions do equally well on the same rows. Shapes: N rows."""

from typing import Any

import numpy as np

from models.metrics import Array


def mcnemar(first_right_N: Array, second_right_N: Array) -> dict[str, Any]:
    """McNemar's exact test: of the rows that one alone gets right, as many should be the first's as the second's.

    Source: McNemar 1947; Dietterich 1998, Approximate statistical tests for comparing learning algorithms.
    """
    from scipy.stats import binomtest

    first = int((first_right_N & ~second_right_N).sum())
    second = int((second_right_N & ~first_right_N).sum())
    return {
        "name": "mcnemar",
        "p_value": float(binomtest(first, first + second).pvalue) if first + second else 1.0,
        "only_first": first,
        "only_second": second,
        "detail": f"{first} rows only the first gets right, {second} only the second",
    }


def wilcoxon(first_losses_N: Array, second_losses_N: Array, what: str) -> dict[str, Any]:
    """Wilcoxon's signed-rank test of paired losses: that their differences are symmetrical around 0.

    Source: Wilcoxon 1945; rows of equal losses are left out.
    """
    from scipy import stats

    differences_N = first_losses_N.astype(np.float64) - second_losses_N
    first, second = int((differences_N < 0).sum()), int((differences_N > 0).sum())
    return {
        "name": "wilcoxon",
        "p_value": float(stats.wilcoxon(differences_N[differences_N != 0]).pvalue) if first + second else 1.0,
        "first_smaller": first,
        "second_smaller": second,
        "detail": f"{what} is smaller of the first on {first} rows, of the second on {second}",
    }
