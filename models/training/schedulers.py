"""Learning rate schedules: a factor on the optimiser's learning rate, as a function of the step.

The factors are closed formulas of the step, so that a resumed run needs no more than its position.
Only `plateau` remembers anything: the validation losses it has seen.
"""

from abc import ABC, abstractmethod
from math import cos, inf, pi
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.registry import search

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Schedule:
    """A schedule over one run of `total_steps` optimiser steps, `steps_per_epoch` to an epoch."""

    def __init__(self, options: "SchedulerOptions", total_steps: int, steps_per_epoch: int) -> None:
        self.options = options
        self.total_steps = total_steps
        self.steps_per_epoch = steps_per_epoch

    def factor(self, step: int) -> float:
        """What to multiply the learning rate by at this step, counted from 0."""
        return self.options.factor(step / self.total_steps, step // self.steps_per_epoch)

    def observe(self, loss: float) -> None:
        """Take note of an epoch's validation loss."""

    def state_dict(self) -> dict[str, Any]:
        """What has to be saved besides the step."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""


class PlateauSchedule(Schedule):
    """Lowers the factor whenever the validation loss has not fallen for some epochs."""

    options: "Plateau"

    def __init__(self, options: "SchedulerOptions", total_steps: int, steps_per_epoch: int) -> None:
        super().__init__(options, total_steps, steps_per_epoch)
        self.current = 1.0
        self.best = inf
        self.waited = 0

    def factor(self, step: int) -> float:
        """The factor after the reductions so far."""
        return self.current

    def observe(self, loss: float) -> None:
        """Count the epochs without a fall of the loss; reduce the factor when patience is over."""
        if loss < self.best - self.options.min_delta:
            self.best, self.waited = loss, 0
            return
        self.waited += 1
        if self.waited > self.options.patience:
            self.current, self.waited = self.current * self.options.gamma, 0

    def state_dict(self) -> dict[str, Any]:
        """The factor, the best loss and the epochs waited."""
        return {"current": self.current, "best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up a saved state."""
        self.current, self.best, self.waited = state["current"], state["best"], state["waited"]


class SchedulerOptions(BaseModel, ABC):
    """Base of every scheduler's options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: ClassVar[str]
    paper: ClassVar[str]
    schedule: ClassVar[type[Schedule]] = Schedule

    @abstractmethod
    def factor(self, progress: float, epoch: int) -> float:
        """The factor at this share of the run, from 0 to 1, in this epoch, counted from 0."""

    def build(self, total_steps: int, steps_per_epoch: int) -> Schedule:
        """The schedule of one run."""
        return self.schedule(self, total_steps, steps_per_epoch)


class Constant(SchedulerOptions):
    """factor = 1."""

    title = "Constant"
    paper = "Robbins and Monro 1951"
    name: Literal["constant"]

    def factor(self, progress: float, epoch: int) -> float:
        """Always 1."""
        return 1.0


class Step(SchedulerOptions):
    """factor = gamma^⌊epoch / step_size⌋."""

    title = "Step decay"
    paper = "Krizhevsky, Sutskever and Hinton 2012"
    name: Literal["step"]
    step_size: int = Field(
        10, ge=1, le=10_000, description="Epochs between two reductions.", json_schema_extra=search(low=1, high=30)
    )
    gamma: float = Field(
        0.1, gt=0.0, le=1.0, description="Factor of a reduction.", json_schema_extra=search(low=0.05, high=0.9)
    )

    def factor(self, progress: float, epoch: int) -> float:
        """gamma to the number of reductions so far."""
        return float(self.gamma ** (epoch // self.step_size))


class Cosine(SchedulerOptions):
    """factor = final + (1 - final) · (1 + cos(π · progress)) / 2."""

    title = "Cosine annealing"
    paper = "Loshchilov and Hutter 2017"
    name: Literal["cosine"]
    final_factor: Fraction = Field(0.0, description="Factor at the end of the run.")

    def factor(self, progress: float, epoch: int) -> float:
        """Half a cosine from 1 to `final_factor`."""
        return _cosine(1.0, self.final_factor, progress)


class OneCycle(SchedulerOptions):
    """Half a cosine up from `initial_factor` to 1, then half a cosine down to `final_factor`."""

    title = "One cycle"
    paper = "Smith and Topin 2018"
    name: Literal["one_cycle"]
    warmup_fraction: float = Field(
        0.3,
        gt=0.0,
        lt=1.0,
        description="Share of the run in which the rate rises.",
        json_schema_extra=search(low=0.1, high=0.5),
    )
    initial_factor: Fraction = Field(0.04, description="Factor at the start.")
    final_factor: Fraction = Field(1e-4, description="Factor at the end.")

    def factor(self, progress: float, epoch: int) -> float:
        """Up to 1 at `warmup_fraction`, then down."""
        if progress < self.warmup_fraction:
            return _cosine(self.initial_factor, 1.0, progress / self.warmup_fraction)
        return _cosine(1.0, self.final_factor, (progress - self.warmup_fraction) / (1 - self.warmup_fraction))


class Warmup(SchedulerOptions):
    """A straight line from `initial_factor` to 1, then constant."""

    title = "Linear warm-up"
    paper = "Goyal et al. 2017"
    name: Literal["warmup"]
    warmup_fraction: float = Field(
        0.1,
        gt=0.0,
        le=1.0,
        description="Share of the run in which the rate rises.",
        json_schema_extra=search(low=0.01, high=0.5),
    )
    initial_factor: Fraction = Field(0.01, description="Factor at the start.")

    def factor(self, progress: float, epoch: int) -> float:
        """Linear in the progress until the warm-up is over."""
        return min(1.0, self.initial_factor + (1 - self.initial_factor) * progress / self.warmup_fraction)


class Plateau(SchedulerOptions):
    """Multiply by gamma when the validation loss has not fallen for more than `patience` epochs."""

    title = "Reduce on plateau"
    paper = "Bengio 2012, Practical recommendations for gradient-based training of deep architectures"
    schedule = PlateauSchedule
    name: Literal["plateau"]
    patience: int = Field(
        3, ge=0, le=10_000, description="Epochs to wait for a fall.", json_schema_extra=search(low=1, high=10)
    )
    gamma: float = Field(
        0.5, gt=0.0, lt=1.0, description="Factor of a reduction.", json_schema_extra=search(low=0.1, high=0.9)
    )
    min_delta: float = Field(1e-4, ge=0.0, description="The least fall of the loss that counts.")

    def factor(self, progress: float, epoch: int) -> float:
        """1: what is taken off depends on the losses, which `PlateauSchedule` keeps."""
        return 1.0


def _cosine(start: float, end: float, progress: float) -> float:
    return end + (start - end) * (1 + cos(pi * progress)) / 2


AnyScheduler = Annotated[Constant | Step | Cosine | OneCycle | Warmup | Plateau, Field(discriminator="name")]
SCHEDULERS: tuple[type[SchedulerOptions], ...] = (Constant, Step, Cosine, OneCycle, Warmup, Plateau)
