"""Whether two adversaries kept their balance, from what was measured in each epoch of their training.

Of the ways in which it goes wrong see Goodfellow 2016, NIPS tutorial: generative adversarial networks, section 5, and
Arjovsky and Bottou 2017, Towards principled methods for training generative adversarial networks.
"""

from collections.abc import Mapping, Sequence
from math import ceil, isfinite
from statistics import fmean, median
from typing import Any, Literal

Epoch = Mapping[str, float]
Verdict = Literal["healthy", "unfinished", "collapsed", "diverged", "discriminator_won"]

LEAST_DIVERSITY = 0.4
"""Of the data's own, as `metrics.generation.diversity` has it."""
NO_DIVERSITY = 0.02
"""Less is of one and the same example."""
FALL = 0.8
"""Low diversity is a collapse if it is less than so much of what it was once; or else it was never reached."""
LEAST_CLASSES = 0.5
"""Share of the data's classes that must be drawn."""
SURE_ACCURACY = 0.99
"""A discriminator that tells both kinds so often has nothing left to learn from, and little to teach."""
STEEP = 100.0
"""A gradient so many times as long as in the middle of the training's epochs is out of hand."""
LATE_SHARE = 0.2
"""The last epochs that the verdict is of."""

_REMEDIES: dict[Verdict, tuple[str, ...]] = {
    "healthy": (),
    "unfinished": (
        "more training.epochs, or smaller batches",
        "a higher training.optimizer.learning_rate",
        "discriminator_steps of 1",
    ),
    "collapsed": (
        "wgan_gp, whose critic goes on telling a generator that repeats itself where to go",
        "discriminator_norm spectral, or dropout in the discriminator",
        "a lower training.optimizer.learning_rate, or beta1 of 0.5 or less",
        "larger batches, or conditional with labelled data",
    ),
    "diverged": (
        "a lower training.optimizer.learning_rate",
        "training.gradient_clip",
        "discriminator_norm spectral, or a larger gradient_penalty",
    ),
    "discriminator_won": (
        "a lower discriminator_learning_rate_factor, or discriminator_steps of 1",
        "label_smoothing, dropout in the discriminator, or discriminator_norm spectral",
        "a larger generator, or wgan_gp, whose critic may be as good as it can",
    ),
}


def judge(epochs: Sequence[Epoch], classes: tuple[int, int] | None = None) -> dict[str, Any]:
    """The `verdict`, the numbers it rests on as `detail`, and what to `try`.

    Each of the epochs has `diversity`, which is NaN if the data has none, and by phase `generator_gradient_norm` and
    the like, and of a discriminator that tells real from drawn `discriminator_real_accuracy` and
    `discriminator_drawn_accuracy`. `classes` is how many are drawn and how many there are, where it is known.
    """
    late = epochs[-max(1, ceil(LATE_SHARE * len(epochs))) :]
    last = {name: fmean(epoch[name] for epoch in late if name in epoch) for name in late[-1]}
    found = _diverged(epochs, last) or _collapsed(epochs, last, classes) or _won(last) or _unfinished(last)
    return found or _verdict("healthy", _figures(last))


def _diverged(epochs: Sequence[Epoch], last: Epoch) -> dict[str, Any] | None:
    for name in [name for name in last if name.endswith("_gradient_norm")]:
        usual = median(epoch[name] for epoch in epochs if name in epoch)
        if last[name] > STEEP * usual > 0:
            phase = name.removesuffix("_gradient_norm")
            return _verdict(
                "diverged", f"The {phase}'s gradient is {last[name]:.3g} long at the end, {usual:.3g} in the middle."
            )
    return None


def _collapsed(epochs: Sequence[Epoch], last: Epoch, classes: tuple[int, int] | None) -> dict[str, Any] | None:
    value, once = last["diversity"], max(epoch["diversity"] for epoch in epochs)
    if value < NO_DIVERSITY or value < min(LEAST_DIVERSITY, FALL * once):
        return _verdict("collapsed", f"{_alike(value)}, and once by {once:.0%}.")
    if value >= LEAST_DIVERSITY and classes is not None and classes[0] < LEAST_CLASSES * classes[1]:
        return _verdict("collapsed", f"Only {classes[0]} of the {classes[1]} classes are drawn.")
    return None


def _unfinished(last: Epoch) -> dict[str, Any] | None:
    if last["diversity"] < LEAST_DIVERSITY:
        return _verdict("unfinished", f"{_alike(last['diversity'])}, and never did by more.")
    return None


def _alike(value: float) -> str:
    return f"At the end the drawn examples differ from each other by {value:.0%} of what real ones do"


def _won(last: Epoch) -> dict[str, Any] | None:
    accuracies = [last.get(f"discriminator_{kind}_accuracy", 0.0) for kind in ("real", "drawn")]
    if min(accuracies) < SURE_ACCURACY:
        return None
    real, drawn = accuracies
    return _verdict(
        "discriminator_won", f"At the end it tells {real:.1%} of the real and {drawn:.1%} of the drawn examples."
    )


def _figures(last: Epoch) -> str:
    known = (f"{name.replace('_', ' ')} {value:.3g}" for name, value in last.items() if isfinite(value))
    return f"At the end: {', '.join(known)}."


def _verdict(verdict: Verdict, detail: str) -> dict[str, Any]:
    return {"verdict": verdict, "detail": detail, "try": list(_REMEDIES[verdict])}
