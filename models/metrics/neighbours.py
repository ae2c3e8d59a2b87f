"""Whether samples are copies of training rows: how far each is from the nearest, beside rows that were held out.

Held-out rows are as near to the training rows as chance brings them; samples that are much nearer were memorised.
Distances are Euclidean, of values as the network sees them. Shapes: N samples, M training rows, F values of each.
Source: Meehan, Chaudhuri and Dasgupta 2020, A non-parametric test to detect data-copying in generative models.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

MEMORISED_BELOW = 0.5
"""The ratio of the median distances from which samples are taken for copies."""


def nearest(x_NF: Tensor, batches: Iterator[Tensor]) -> Tensor:
    """The distance (N,) of each row to the nearest of all batches (B, F)."""
    squares_N = x_NF.square().sum(dim=1)
    least_N = torch.full((len(x_NF),), torch.inf)
    for batch_BF in batches:
        found_NB = batch_BF.square().sum(dim=1) - 2 * x_NF @ batch_BF.T
        least_N = torch.minimum(least_N, squares_N + found_NB.amin(dim=1))
    return least_N.clamp(min=0).sqrt()


def copying(samples_N: Tensor, held_out_N: Tensor) -> dict[str, Any]:
    """The verdict, of distances to the nearest training row."""
    medians = [float(distances.median()) for distances in (samples_N, held_out_N)]
    ratio = medians[0] / medians[1] if medians[1] > 0 else None
    return {
        "sample_to_train": medians[0],
        "held_out_to_train": medians[1],
        "ratio": ratio,
        "memorised": ratio is not None and ratio < MEMORISED_BELOW,
        "samples": len(samples_N),
    }
