"""Tests of significance beside SciPy's distributions, and on versions that are alike."""

import numpy as np
import pytest
from scipy import stats

from models.evaluation.significance import mcnemar, wilcoxon


def test_mcnemars_p_value_is_the_binomial_distributions() -> None:
    """Of 100 rows both get 80 right, the first alone 15 and the second alone 5."""
    first = np.repeat([True, True, False], [80, 15, 5])
    second = np.repeat([True, False, True], [80, 15, 5])
    found = mcnemar(first, second)
    assert (found["only_first"], found["only_second"]) == (15, 5)
    assert found["p_value"] == pytest.approx(2 * stats.binom.cdf(5, 20, 0.5))


def test_versions_that_answer_alike_do_not_differ() -> None:
    right = np.array([True, False, True])
    assert mcnemar(right, right)["p_value"] == 1.0
    assert wilcoxon(np.arange(5.0), np.arange(5.0), "the error")["p_value"] == 1.0


def test_wilcoxon_finds_smaller_errors_and_counts_them() -> None:
    generator = np.random.default_rng(0)
    first = generator.random(60)
    second = first + generator.normal(0.2, 0.1, 60)
    found = wilcoxon(first, second, "the error")
    assert found["p_value"] < 1e-6
    assert found["first_smaller"] + found["second_smaller"] == 60
    assert found["p_value"] == pytest.approx(stats.wilcoxon(first - second).pvalue)


def test_p_values_of_versions_that_are_equally_good_are_uniform() -> None:
    generator = np.random.default_rng(1)
    p_values = []
    for _ in range(300):
        losses = generator.exponential(size=(2, 50))
        p_values.append(wilcoxon(losses[0], losses[1], "the error")["p_value"])
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.08
