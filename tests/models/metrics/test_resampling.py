import numpy as np
import pytest
from scipy.sparse import csr_array

from models.metrics.resampling import MAX_GROUPS, RESAMPLES, resampled_sums


def test_all_columns_of_as_many_rows_are_drawn_alike() -> None:
    columns = np.random.default_rng(0).normal(size=(70, 2))
    both, second = resampled_sums(columns), resampled_sums(columns[:, 1:])
    assert both.shape == (RESAMPLES, 2)
    assert np.allclose(both[:, 1:], second)


def test_sparse_columns_have_the_same_sums() -> None:
    columns = np.random.default_rng(0).integers(0, 2, (50, 4)).astype(float)
    assert np.allclose(resampled_sums(csr_array(columns)), resampled_sums(columns))


def test_every_resample_has_as_many_rows_as_there_are() -> None:
    assert set(resampled_sums(np.ones((90, 1)))[:, 0]) == {90.0}


def test_groups_vary_as_their_rows_do() -> None:
    values = np.random.default_rng(0).normal(size=(3 * MAX_GROUPS + 7, 1))
    sums = resampled_sums(values)[:, 0]
    assert sums.std() == pytest.approx(len(values) ** 0.5, rel=0.1)
    assert sums.mean() == pytest.approx(values.sum(), abs=3 * len(values) ** 0.5 / RESAMPLES**0.5)
