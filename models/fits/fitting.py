"""Several trainings in one job, each on rows of its own: folds, sizes, values of a setting, bootstrap samples.

A fit that is over leaves its answers in the job's checkpoints and is not trained again; the fit under way leaves
the trainer's. So a job that was killed or paused goes on where it was, and on the CPU comes to the same numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.data import DataSet
from models.errors import JobError, TrainingDiverged
from models.examples import Examples
from models.fits.report import FitsReport
from models.inference import BATCH_SIZE
from models.ragged import joined
from models.run import JobContext, Reporter, Stopped, obey
from models.splits import Parts
from models.training import checkpoint
from models.training.plan import Plan
from models.training.training import Training
from shapes.tokens import NO_TARGET

SEEDS = 2**32


@dataclass(frozen=True)
class Fit:
    """One training of several."""

    name: str
    """For people: `fold 3`."""
    request: Mapping[str, Any]
    """`architecture`, `task`, `hyperparameters` and `training`, as a train request has them."""
    parts: Parts
    """The rows to train on, `train`; those that choose the epoch, `validation`, if any; and any others."""
    measured: tuple[str, ...]
    """The parts whose answers are wanted."""


@dataclass(frozen=True)
class Fitted:
    """What a fit came to. The network itself is not kept."""

    answers: dict[str, NDArray[Any]]
    """For each measured part the answers for its rows, in their order: probabilities (N, K) or values (N,)."""
    epochs: int
    best_epoch: int
    validation: dict[str, float]
    """The metrics of the best epoch's validation; empty without validation rows."""
    parameters: int
    seconds: float
    """Of training, in the attempt that ended it."""
    diverged: str | None = None
    """Why there are no answers."""
    restored: bool = False
    """Whether an earlier attempt finished it, and has told the user."""


def configuration(request: Mapping[str, Any], **changed: Any) -> dict[str, Any]:
    """What a fit's `request` is of a job's request: what is trained and how, some of it changed."""
    return {name: request.get(name) for name in ("architecture", "task", "hyperparameters", "training")} | changed


def seed_of_fit(seed: int, number: int) -> int:
    """The seed of the fit of this number, of which the first is 0 and has the request's own."""
    return (seed + number) % SEEDS


def fit_all(
    context: JobContext, dataset: DataSet, fits: Sequence[Fit], *, keep_diverged: bool = False
) -> Iterator[Fitted]:
    """Train one after another, without those that an earlier attempt has finished.

    Raises:
        JobError: a fit cannot be trained or diverged; the message begins with its name. With `keep_diverged` a fit
            that diverged is among what is returned.
        Stopped: the user cancelled or paused.
    """
    report = FitsReport(context.report, len(fits))
    for number, fit in enumerate(fits):
        obey(context.report)
        report.begin(number, fit.name)
        directory = context.checkpoints / f"fit-{number:06d}"
        directory.mkdir(exist_ok=True)
        try:
            fitted = _restored(directory) or _fit(context, dataset, fit, report, directory)
        except JobError as error:
            raise JobError(error.code, f"{fit.name}: {error.detail}") from error
        if fitted.diverged is not None and not keep_diverged:
            raise TrainingDiverged(f"{fit.name}: {fitted.diverged}")
        yield fitted


def _restored(directory: Path) -> Fitted | None:
    """What an earlier attempt left of a fit that it finished."""
    state = checkpoint.newest(directory)
    if state is None or "fitted" not in state:
        return None
    answers = {name: _restorable(stored) for name, stored in state["answers"].items()}
    return Fitted(**state["fitted"], answers=answers, restored=True)


def _fit(context: JobContext, dataset: DataSet, fit: Fit, report: FitsReport, directory: Path) -> Fitted:
    plan = Plan.of(dict(fit.request), dataset, fit.parts)
    training = Training.of(plan, report, directory, context.checkpoint_interval_seconds)
    if training.trainer.step:
        context.report.log(f"{fit.name}: resumed after step {training.trainer.step}")
    started_at, answers, diverged = monotonic(), {}, None
    try:
        training.fit()
        answers = {name: _answers(plan, training.network, plan.splits[name], report) for name in fit.measured}
    except TrainingDiverged as error:
        diverged = error.detail
    facts: dict[str, Any] = {
        "epochs": training.trainer.epoch,
        "best_epoch": training.best_epoch,
        "validation": training.best.validation,
        "parameters": sum(parameter.numel() for parameter in training.network.parameters()),
        "seconds": monotonic() - started_at,
        "diverged": diverged,
    }
    state = {"fitted": facts, "answers": {name: _storable(array) for name, array in answers.items()}}
    try:
        checkpoint.save(directory, training.trainer.step + 1, state, kept=1)
    except OSError as error:
        report.log(f"what it came to was not saved: {error.strerror}", level="warning")
    return Fitted(**facts, answers=answers)


def _answers(plan: Plan, network: nn.Module, examples: Examples, report: Reporter) -> NDArray[Any]:
    """What the exported graph would answer, by torch, in single precision."""
    model = plan.task.answering(network.eval()).eval()
    answers = []
    with torch.inference_mode():
        for batch in examples.batches(BATCH_SIZE):
            if report.wish() == "cancel":
                raise Stopped("cancel")
            answers.append(plan.task.read(_arrays(model(batch.inputs)), plan.task.output()))
    return joined(answers, NO_TARGET)


def _arrays(outputs: Any) -> Any:
    """Tensors as arrays, one or several."""
    return tuple(map(_arrays, outputs)) if isinstance(outputs, tuple) else outputs.cpu().numpy()


def _storable(answers: NDArray[Any]) -> Tensor | list[str]:
    """Answers as a checkpoint holds them: numbers, or texts."""
    return answers.tolist() if answers.dtype == object else torch.from_numpy(answers)


def _restorable(stored: Tensor | list[str]) -> NDArray[Any]:
    return np.array(stored, object) if isinstance(stored, list) else stored.numpy()
