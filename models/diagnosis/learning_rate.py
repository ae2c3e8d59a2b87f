"""Which learning rate suits? A range test (Smith 2017, Cyclical learning rates for training neural networks).

One short training whose rate grows from step to step, by the same factor each time. The loss first stays, then falls,
then rises. The rate at which it falls fastest is suggested.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.diagnosis.finding import Finding, Verdict
from models.diagnosis.subject import Subject
from models.evaluation.charts import Chart, Series
from models.training.schedulers import Constant, Schedule
from models.training.trainer import Trainer

STEPS = 120
LOWEST, HIGHEST = 1e-6, 10.0
SMOOTHING = 0.8
"""How much of the running mean of the losses is kept at a step."""
ENOUGH = 3.0
"""The test ends when the smoothed loss is this many times the least."""
FALLS = 0.95
"""Of its start: if the loss never comes below, no rate lowers it."""
LOW, FAR_TOO_LOW = 50.0, 1000.0
"""The suggested rate over the settings'."""
UNFOUNDED = ("see `gradients`, `activations` and `data`: the rate is not what is wrong",)


class Range(NamedTuple):
    """What the test found; rates."""

    suggested: float | None
    least_loss_at: float
    rises_from: float | None
    """Where the loss has come back to its start; None if it has not."""


class Ramp(Schedule):
    """A rate that grows from `LOWEST` to `HIGHEST`, as a factor on the settings' own."""

    def __init__(self, rates: NDArray[np.float64], own: float) -> None:
        super().__init__(Constant(name="constant"), len(rates), len(rates))
        self.factors = rates / own

    def factor(self, step: int) -> float:
        """The factor at this step; the last one after it."""
        return float(self.factors[min(step, len(self.factors) - 1)])


def check(subject: Subject) -> Finding:
    """Train while the rate grows, and see where the settings' own rate lies."""
    own = subject.plan.settings.optimizer.learning_rate
    rates, losses, smoothed = np.geomspace(LOWEST, HIGHEST, STEPS), list[float](), list[float]()

    def see(trainer: Trainer, loss: float) -> bool:
        losses.append(loss)
        smoothed.append(_smoothed(losses))
        return len(losses) < STEPS and smoothed[-1] < ENOUGH * max(min(smoothed), 1e-12) + smoothed[0] / 10

    settings = subject.plan.settings.model_copy(update={"epochs": STEPS, "early_stopping": None})
    diverged = subject.take_steps(see, settings=settings, schedule=Ramp(rates, own))
    if not losses:
        return Finding("bad", f"The loss is not finite before the first step: {diverged}", remedies=UNFOUNDED)
    ended = diverged is not None or len(losses) < STEPS
    found = read(rates[: len(smoothed)], smoothed, ended=ended)
    numbers = {"learning_rate": own, **found._asdict(), "rates": rates[: len(losses)].tolist(), "losses": losses}
    verdict, detail, remedies = _judged(own, found)
    files = subject.draw("learning_rate", _chart(subject, numbers, smoothed))
    return Finding(verdict, detail, numbers, remedies, files)


def _chart(subject: Subject, numbers: Mapping[str, Any], smoothed: Sequence[float]) -> Chart:
    rates, losses, suggested = numbers["rates"], numbers["losses"], numbers["suggested"]
    own, span = numbers["learning_rate"], [min(losses), max(losses)]
    marks = {f"now {own:g}": own} | ({f"suggested {suggested:.1e}": suggested} if suggested else {})
    series = [
        Series("loss", rates, losses),
        Series("smoothed", rates, smoothed),
        *(Series(name, [rate, rate], span, "dashed") for name, rate in marks.items()),
    ]
    return Chart(f"Learning-rate range test: {subject.title}", "learning rate", "loss", series, log_x=True)


def read(rates: NDArray[np.float64], smoothed: Sequence[float], *, ended: bool) -> Range:
    """What the smoothed losses at growing rates say; `ended`: from the last rate on, no higher one was tried."""
    losses = np.asarray(smoothed)
    least = int(losses.argmin())
    risen = np.flatnonzero(losses[least:] > losses[0])
    rises_from = float(rates[least + risen[0]]) if len(risen) else float(rates[-1]) if ended else None
    if losses[least] > FALLS * losses[0] or least < 2:
        return Range(None, float(rates[least]), rises_from)
    slopes = np.gradient(losses[: least + 1], np.log(rates[: least + 1]))
    return Range(float(rates[int(slopes.argmin())]), float(rates[least]), rises_from)


def _judged(own: float, found: Range) -> tuple[Verdict, str, tuple[str, ...]]:
    if found.suggested is None:
        return "bad", f"No learning rate from {LOWEST:g} to {HIGHEST:g} lowers the loss.", UNFOUNDED
    remedies = (f"`training.optimizer.learning_rate` {found.suggested:.1g}",)
    detail = f"The loss falls fastest at {found.suggested:.1e}; the settings have {own:g}"
    if found.rises_from is not None and own >= found.rises_from:
        return "bad", f"{detail}, and from {found.rises_from:.1e} on it rises above its start.", remedies
    if own > found.least_loss_at:
        return "suspicious", f"{detail}, and beyond {found.least_loss_at:.1e} it falls no more.", remedies
    lack = found.suggested / own
    if lack >= LOW:
        return "bad" if lack >= FAR_TOO_LOW else "suspicious", f"{detail}, {lack:.0f} times less.", remedies
    return "good", f"{detail}.", ()


def _smoothed(losses: Sequence[float]) -> float:
    """The exponential mean of the losses so far, corrected for its start."""
    weights = SMOOTHING ** np.arange(len(losses) - 1, -1, -1)
    return float((weights * losses).sum() / weights.sum())
