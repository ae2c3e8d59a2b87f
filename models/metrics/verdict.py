"""Whether a network fits: judged by its main metric on rows it has learned and on rows held out, beside guessing.

All is measured in guessing's error, 1 - metric of the baseline, so that the thresholds mean the same for ten classes
as for two, and for R². Source: Goodfellow, Bengio and Courville 2016, Deep Learning, sections 5.2 and 11.4.
"""

from math import hypot
from typing import Any, Literal, NamedTuple

from models.metrics import Scores

HIGH_ERROR = 0.5
"""More of guessing's error than this left on the training rows is under-fitting."""
WIDE_GAP = 0.1
"""A gap wider than this between training and held-out rows is over-fitting, if it is no chance."""
UNSURE = 0.25
"""With a gap known no better than this, nothing can be said but that far too much error is left."""

Fit = Literal["underfitting", "overfitting", "good", "unknown"]

_REMEDIES: dict[Fit, tuple[str, ...]] = {
    "underfitting": (
        "more epochs, or a higher learning rate",
        "a larger network",
        "less regularisation: dropout, l1, l2, label_noise, augmentation",
        "inputs that say more: noise in the targets leaves an error that no network can learn away",
    ),
    "overfitting": (
        "more training rows",
        "for images, training.augmentation",
        "training.early_stopping, dropout, training.l2 or training.label_noise",
        "a smaller network",
    ),
    "good": (),
    "unknown": ("hold more rows out: training.split.validation, or a larger data set",),
}


class Evidence(NamedTuple):
    """A metric of which 1 is perfect, and its 95 % interval's half width."""

    value: float
    margin: float

    @classmethod
    def of(cls, scores: Scores, metric: str) -> "Evidence | None":
        """What some scores say; None if the metric has no value. Without an interval the margin is 0."""
        if scores.get(metric) is None:
            return None
        low, high = scores.get("intervals", {}).get(metric, (0.0, 0.0))
        return cls(scores[metric], (high - low) / 2)


def judge(metric: str, train: Scores, held_out: Scores, guess: Scores, split: str) -> dict[str, Any]:
    """The verdict: `fit`, the numbers it rests on as `detail`, and what to `try`.

    `train` and `held_out` are scores of the network with their intervals, `guess` those of the baseline on the
    same held-out rows, which are of `split`; `metric` is the main one of the task.
    """
    learned, found, guessed = (Evidence.of(scores, metric) for scores in (train, held_out, guess))
    if learned is None or found is None or guessed is None:
        return _verdict("unknown", f"There is no {metric} of training and held-out rows to compare with guessing.")
    if guessed.value >= 1:
        return _verdict("unknown", f"Guessing has the best {metric} there is on the {split} rows, which are all alike.")
    room = 1 - guessed.value
    error, gap = (1 - learned.value) / room, (learned.value - found.value) / room
    margin = hypot(learned.margin, found.margin) / room
    detail = (
        f"{metric} is {learned.value:.3f} on training rows, {found.value:.3f} on {split} rows and {guessed.value:.3f} "
        f"by guessing: of guessing's error {error:.0%} is left in training, and the gap is {gap:.0%} ± {margin:.0%}."
    )
    return _verdict(_fit(error, gap, margin), detail)


def _fit(error: float, gap: float, margin: float) -> Fit:
    """From the training error, the gap to the held-out error and its margin, all in guessing's error."""
    if gap > WIDE_GAP and gap > margin:
        return "overfitting"
    if margin > UNSURE and error - margin <= HIGH_ERROR:
        return "unknown"
    if error > HIGH_ERROR:
        return "underfitting"
    return "unknown" if gap > WIDE_GAP else "good"


def _verdict(fit: Fit, detail: str) -> dict[str, Any]:
    return {"fit": fit, "detail": detail, "try": list(_REMEDIES[fit])}
