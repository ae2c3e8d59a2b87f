"""How often the decoder is told the right token in training, batch by batch: schedules of teacher forcing.

Source: Bengio et al. 2015, Scheduled sampling for sequence prediction with recurrent neural networks, section 2.4.
"""

from math import exp, log
from typing import Literal

Forcing = Literal["constant", "linear", "exponential", "inverse_sigmoid"]
_NEWTON_STEPS = 20


def share(forcing: Forcing, batch: int, *, least: float, half: int) -> float:
    """The probability of being told, ε, before the batch of this number, counted from 0.

    Constantly it is `least`; else it falls from 1, is half-way at the batch `half`, and ends at `least`.
    """
    if forcing == "constant":
        return least
    if forcing == "linear":
        fallen = min(1.0, batch / (2 * half))
    elif forcing == "exponential":
        fallen = 1 - 0.5 ** (batch / half)
    else:
        # ε = k / (k + exp(i / k)) is a half where i = k log k.
        k = _inverse_of_k_log_k(half)
        fallen = 1 / (1 + k * exp(min(-batch / k, 0.0)))
    return least + (1 - least) * (1 - fallen)


def _inverse_of_k_log_k(value: int) -> float:
    """The k above 1 for which k log k is `value`, by Newton's method."""
    k = 1.0 + value
    for _ in range(_NEWTON_STEPS):
        k -= (k * log(k) - value) / (log(k) + 1)
    return k
