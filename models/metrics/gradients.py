"""Whether gradients vanish or explode on their way through time, from what was measured in each epoch of a training.

Sources: Bengio, Simard and Frasconi 1994, Learning long-term dependencies with gradient descent is difficult; Pascanu,
Mikolov and Bengio 2013, On the difficulty of training recurrent neural networks.
"""

from collections.abc import Mapping, Sequence
from math import ceil, isfinite
from statistics import median
from typing import Any, Literal

Epoch = Mapping[str, float]
"""`first` and `last`: the mean norms of the loss's slope at the first and the last steps of rows, after the epoch;
`norm` and `largest`: the median and the largest norm of the whole gradient in its training steps, before clipping."""
Verdict = Literal["healthy", "vanishing", "exploding"]

VANISHED = 1e-3
"""Less of the slope at the last steps than this at the first is vanishing."""
EXPLODED = 1e3
"""More is exploding."""
STEEP = 50.0
"""And so is a gradient so many times as long as the median of all epochs, or one that is not finite."""
LATE_SHARE = 0.2
"""The last epochs, in which the slopes are judged."""

_REMEDIES: dict[Verdict, tuple[str, ...]] = {
    "healthy": (),
    "vanishing": (
        "lstm or gru in place of rnn; of an lstm, forget_bias 1",
        "skip or leak, which shorten the way through time",
        "a shorter context or max_length, if what comes first does not matter",
    ),
    "exploding": (
        "training.gradient_clip 1.0",
        "a lower training.optimizer.learning_rate",
        "lstm or gru in place of rnn, or training.truncate_steps",
    ),
}


def judge(epochs: Sequence[Epoch]) -> dict[str, Any]:
    """The `verdict`, the numbers that it rests on as `detail`, what to `try`, and the `epochs`."""
    late = epochs[-ceil(LATE_SHARE * len(epochs)) :]
    ratio = median(each["first"] / max(each["last"], 1e-30) for each in late)
    steepness = max(each["largest"] for each in epochs) / max(median(each["norm"] for each in epochs), 1e-30)
    verdict: Verdict = "vanishing" if ratio < VANISHED else "healthy"
    if ratio > EXPLODED or steepness > STEEP or not isfinite(ratio + steepness):
        verdict = "exploding"
    detail = (
        f"The slope at the first steps is {ratio:.2g} times that at the last, and the longest gradient of all steps "
        f"{steepness:.2g} times as long as their median."
    )
    return {"verdict": verdict, "detail": detail, "try": list(_REMEDIES[verdict]), "epochs": list(epochs)}
