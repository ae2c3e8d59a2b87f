"""Sums over resampled rows, of which the metrics of as many rows, drawn with replacement, are made.

All draws of N rows are the same draws, so that two models' metrics on the same rows are resampled in pairs.
Shapes: N rows, C columns, B resamples. Source: Efron 1979, Bootstrap methods.
"""

import numpy as np

from models.metrics import Array

RESAMPLES = 1000
MAX_GROUPS = 10_000
"""More rows than this are put at random into as many groups, which are resampled whole. A sum over independent
rows varies no less by groups than by rows, and the time stays bounded."""
_BLOCK_NUMBERS = 2**20
_SEED = 0


def resampled_sums(columns_NC: Array) -> Array:
    """Sums of the columns (B, C), each over as many rows as there are. The columns may be sparse, as by SciPy."""
    generator = np.random.default_rng(_SEED)
    if columns_NC.shape[0] > MAX_GROUPS:
        columns_NC = _grouped(columns_NC, generator)
    size = columns_NC.shape[0]
    block = max(1, _BLOCK_NUMBERS // size)
    sums = []
    for start in range(0, RESAMPLES, block):
        draws = (generator.integers(0, size, size) for _ in range(min(block, RESAMPLES - start)))
        times_BN = np.stack([np.bincount(draw, minlength=size) for draw in draws]).astype(np.float64)
        sums.append(times_BN @ columns_NC)
    return np.concatenate(sums)


def _grouped(columns_NC: Array, generator: np.random.Generator) -> Array:
    """Sums of the columns over groups of as many rows as can be, or one more, put together at random."""
    from scipy.sparse import csr_array

    count = columns_NC.shape[0]
    group_N = generator.permutation(count) * MAX_GROUPS // count
    members = csr_array((np.ones(count), (group_N, np.arange(count))), shape=(MAX_GROUPS, count))
    sums_GC: Array = members @ columns_NC
    return sums_GC
