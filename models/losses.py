"""Loss functions by name, each with its options as a pydantic model that builds it.

torch is imported when a loss is built, so that settings can be read and checked without it.
Every loss is the mean over the batch. The losses of a regression are taken of standardised targets.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.registry import search

if TYPE_CHECKING:
    from torch import nn


class LossOptions(BaseModel, ABC):
    """Base of every loss's options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    name: str

    @abstractmethod
    def build(self) -> "nn.Module":
        """The loss as a module of (outputs, targets)."""


class CrossEntropy(LossOptions):
    """-log softmax(logits)_k for the true class k; logits (N, K), targets (N,) of int64."""

    title = "Cross-entropy"
    tasks = ("classification",)
    name: Literal["cross_entropy"]
    label_smoothing: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="Share of the target's probability spread over all classes.",
        json_schema_extra=search(low=0.0, high=0.2),
    )

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from torch import nn

        return nn.CrossEntropyLoss(label_smoothing=self.label_smoothing)


class MSE(LossOptions):
    """(y - t)²."""

    title = "Mean squared error"
    tasks = ("regression",)
    name: Literal["mse"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from torch import nn

        return nn.MSELoss()


class MAE(LossOptions):
    """|y - t|."""

    title = "Mean absolute error"
    tasks = ("regression",)
    name: Literal["mae"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from torch import nn

        return nn.L1Loss()


class Huber(LossOptions):
    """(y - t)² / 2 within delta, delta · (|y - t| - delta / 2) beyond it (Huber 1964)."""

    title = "Huber"
    tasks = ("regression",)
    name: Literal["huber"]
    delta: float = Field(
        1.0,
        gt=0.0,
        le=1000.0,
        description="Where the square turns into a line, in standard deviations of the target.",
        json_schema_extra=search(low=0.1, high=10.0, log=True),
    )

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from torch import nn

        return nn.HuberLoss(delta=self.delta)


AnyLoss = Annotated[CrossEntropy | MSE | MAE | Huber, Field(discriminator="name")]
LOSSES: tuple[type[LossOptions], ...] = (CrossEntropy, MSE, MAE, Huber)
