"""The error of a learner as bias and variance, estimated by networks trained on B samples of the training rows.

For a row x with target t let y_b(x) be the b-th answer.

Squared error (Geman, Bienenstock and Doursat 1992), with the mean answer ȳ = mean_b y_b:

    mean_b (y_b - t)² = (ȳ - t)² + mean_b (y_b - ȳ)²        error = bias² + variance

Zero-one loss (Domingos 2000, A unified bias-variance decomposition), with the main answer ŷ, the most frequent:

    bias = [ŷ ≠ t],   variance = P_b(y_b ≠ ŷ),
    P_b(y_b ≠ t) = bias + c · variance,   c = 1 where ŷ = t, else -P_b(y_b = t | y_b ≠ ŷ)

so that variance costs where the main answer is right, and helps where it is wrong. All are means over the test rows.
Noise in the targets cannot be told from the bias, and is in it.
Shapes: N rows, K classes, B networks.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def squared_error(targets_N: Array, answers: Sequence[Array]) -> dict[str, Array]:
    """`error`, `bias_squared` and `variance` of each row (N,), of values (N,) from each network."""
    values_BN = np.stack(answers).astype(np.float64)
    truth_N = targets_N.astype(np.float64)
    return {
        "error": ((values_BN - truth_N) ** 2).mean(axis=0),
        "bias_squared": (values_BN.mean(axis=0) - truth_N) ** 2,
        "variance": values_BN.var(axis=0),
    }


def zero_one_loss(targets_N: Array, answers: Sequence[Array]) -> dict[str, Array]:
    """`error`, `bias` and `variance` of each row (N,), of probabilities (N, K) from each network.

    `variance_unbiased` is what variance costs, on rows whose main answer is right; `variance_biased` what it gains
    on the others: error = bias + variance_unbiased - variance_biased. Of equally frequent answers the main one is
    that of the lowest index.
    """
    votes_BN = np.stack([probabilities.argmax(axis=1) for probabilities in answers])
    num_classes = answers[0].shape[1]
    shares_NK = np.stack([(votes_BN == k).mean(axis=0) for k in range(num_classes)], axis=1)
    main_N = shares_NK.argmax(axis=1)
    right_N = shares_NK[np.arange(len(targets_N)), targets_N]
    bias_N = (main_N != targets_N).astype(np.float64)
    variance_N = 1 - shares_NK.max(axis=1)
    return {
        "error": (votes_BN != targets_N).mean(axis=0),
        "bias": bias_N,
        "variance": variance_N,
        "variance_unbiased": variance_N * (1 - bias_N),
        "variance_biased": right_N * bias_N,
    }
