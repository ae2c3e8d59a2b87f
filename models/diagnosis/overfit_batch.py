"""Can the network learn a few rows by heart, with all regularisation off? If not, nothing else matters.

Where it cannot at the settings' learning rate, the optimiser's usual one and ten times that tell whether the rate is to
blame.
"""

from dataclasses import replace
from typing import NamedTuple

from torch import nn

from models.diagnosis.finding import Finding, Verdict, not_applicable
from models.diagnosis.subject import Subject
from models.evaluation.charts import Chart, Series
from models.examples import Examples
from models.losses import CrossEntropy
from models.training.optimizers import AdamW
from models.training.schedulers import Constant
from models.training.settings import TrainingSettings
from models.training.trainer import Trainer

ROWS = 16
STEPS = 300
LEARNED = 0.05
"""Of the loss of a network that knows nothing: with less left the rows are known by heart."""
HARDLY = 0.5


class Attempt(NamedTuple):
    """One training on the few rows."""

    learning_rate: float
    losses: list[float]

    @property
    def best(self) -> float:
        """The least loss; infinite if the first step diverged."""
        return min(self.losses, default=float("inf"))


def check(subject: Subject) -> Finding:
    """Train on the same few rows over and over."""
    bare = _unregularized(subject)
    train = bare.examples(ROWS)
    expected = bare.loss_of_zeros(bare.network(), next(train.batches(ROWS)))
    if expected < 1e-6:
        return not_applicable(f"{bare.task.loss.__class__.__name__} is 0 for equal scores: there is nothing to lower.")
    attempts: list[Attempt] = []
    for rate in _rates(bare.plan.settings):
        if not any(attempt.best <= LEARNED * expected for attempt in attempts):
            attempts.append(_attempt(bare, train, rate, LEARNED * expected))
    return _finding(subject, attempts, expected, len(train))


def _finding(subject: Subject, attempts: list[Attempt], expected: float, rows: int) -> Finding:
    own, last, best = attempts[0], attempts[-1], min(attempt.best for attempt in attempts)
    numbers = {
        "rows": rows,
        "expected": expected,
        "target": LEARNED * expected,
        "attempts": [
            {"learning_rate": each.learning_rate, "steps": len(each.losses), "loss": each.best if each.losses else None}
            for each in attempts
        ],
    }
    verdict: Verdict
    remedies: tuple[str, ...]
    if own.best <= LEARNED * expected:
        verdict, remedies = "good", ()
        detail = (
            f"{rows} rows were known by heart after {len(own.losses)} steps: loss {own.best:.2g} of {expected:.3g}."
        )
    elif last.best <= LEARNED * expected:
        verdict, remedies = "suspicious", (f"`training.optimizer.learning_rate` near {last.learning_rate:g}",)
        detail = (
            f"{STEPS} steps at the learning rate {own.learning_rate:g} leave {own.best / expected:.0%} of the loss of "
            f"{rows} rows; at {last.learning_rate:g} they are known by heart after {len(last.losses)}."
        )
    else:
        verdict = "suspicious" if best < HARDLY * expected else "bad"
        detail = (
            f"Not even {rows} rows are learned by heart: {best / expected:.0%} of the loss stays, at any rate tried."
        )
        remedies = (
            "a larger network: more layers or units",
            "another `initialization` or activation, if `gradients` or `activations` say so",
            "inputs that tell rows apart: equal rows with different targets cannot be learned",
        )
    return Finding(verdict, detail, numbers, remedies, subject.draw("overfit_batch", _chart(subject, attempts, rows)))


def _chart(subject: Subject, attempts: list[Attempt], rows: int) -> Chart:
    series = [
        Series(f"learning rate {each.learning_rate:g}", range(1, len(each.losses) + 1), each.losses)
        for each in attempts
    ]
    return Chart(f"The same {rows} rows over and over: {subject.title}", "step", "loss", series, log_y=True)


def _rates(settings: TrainingSettings) -> list[float]:
    """The settings' learning rate, and what the optimiser usually takes."""
    usual = type(settings.optimizer).model_fields["learning_rate"].default
    return list(dict.fromkeys((settings.optimizer.learning_rate, usual, 10 * usual)))


def _attempt(bare: Subject, train: Examples, rate: float, target: float) -> Attempt:
    settings = bare.plan.settings
    optimizer = settings.optimizer.model_copy(update={"learning_rate": rate})
    losses: list[float] = []

    def see(trainer: Trainer, loss: float) -> bool:
        losses.append(loss)
        return loss > target

    settings = settings.model_copy(update={"optimizer": optimizer})
    bare.take_steps(see, network=_without_dropout(bare.network()), train=train, settings=settings)
    return Attempt(rate, losses)


def _unregularized(subject: Subject) -> Subject:
    """The subject with every penalty, noise and smoothing off, and a step to an epoch."""
    settings = subject.plan.settings
    loss, optimizer = settings.loss, settings.optimizer
    if loss is None:
        raise TypeError("what is supervised has a loss")
    if isinstance(loss, CrossEntropy):
        loss = loss.model_copy(update={"label_smoothing": 0.0})
    if isinstance(optimizer, AdamW):
        optimizer = optimizer.model_copy(update={"weight_decay": 0.0})
    bare: TrainingSettings = settings.model_copy(
        update={
            **{name: 0.0 for name in ("l1", "l2", "label_noise")},
            "augmentation": (),
            "early_stopping": None,
            "scheduler": Constant(name="constant"),
            "batch_size": "all",
            "epochs": STEPS,
            "loss": loss,
            "optimizer": optimizer,
        }
    )
    task = type(subject.task)(subject.dataset, subject.train, loss)
    return replace(subject, plan=replace(subject.plan, settings=bare, task=task), task=task)


def _without_dropout(network: nn.Module) -> nn.Module:
    for layer in network.modules():
        if isinstance(layer, nn.modules.dropout._DropoutNd):
            layer.p = 0.0
    return network
