"""Optimisers by name, each with its options as a pydantic model that builds it.

torch is imported when an optimiser is built, so that settings can be read and checked without it.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.registry import search

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

Decay = Annotated[float, Field(ge=0.0, lt=1.0)]
Epsilon = Annotated[float, Field(gt=0.0, le=1.0)]


def learning_rate(default: float) -> Any:
    """The field of the learning rate that a scheduler then multiplies."""
    return Field(
        default,
        gt=0.0,
        le=100.0,
        description="Size of a step, before the scheduler.",
        json_schema_extra=search(low=default / 100, high=min(default * 100, 10.0), log=True),
    )


class OptimizerOptions(BaseModel):
    """Base of every optimiser's options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: ClassVar[str]
    paper: ClassVar[str]
    kind: ClassVar[str]
    """The class in `torch.optim`."""
    fused: ClassVar[bool] = False
    """Whether torch has a fused implementation, which is faster on the CPU and on CUDA alike."""

    def arguments(self) -> dict[str, Any]:
        """The options under torch's names."""
        options = self.model_dump(exclude={"name"})
        return {"lr": options.pop("learning_rate"), **options}

    def build(self, parameters: Iterable["nn.Parameter"]) -> "Optimizer":
        """The optimiser of these parameters."""
        from torch import optim

        fused = {"fused": True} if self.fused else {}
        optimizer: Optimizer = getattr(optim, self.kind)(list(parameters), **self.arguments(), **fused)
        return optimizer


class SGD(OptimizerOptions):
    """Stochastic gradient descent: w ← w - lr · v, with v ← momentum · v + gradient."""

    title = "Stochastic gradient descent"
    paper = "Robbins and Monro 1951; momentum: Polyak 1964; Nesterov 1983"
    kind = "SGD"
    fused = True
    name: Literal["sgd"]
    learning_rate: float = learning_rate(0.01)
    momentum: Decay = Field(
        0.0, description="How much of the last step is kept.", json_schema_extra=search(low=0.0, high=0.99)
    )
    nesterov: bool = Field(
        False,
        description="Take the gradient where the momentum leads; has no effect with momentum 0.",
        json_schema_extra=search(choices=[False, True]),
    )

    def arguments(self) -> dict[str, Any]:
        """As the base class; torch refuses Nesterov without momentum, where it would change nothing."""
        return {**super().arguments(), "nesterov": self.nesterov and self.momentum > 0}


class Adagrad(OptimizerOptions):
    """Each weight's step is divided by the root of the sum of its squared gradients."""

    title = "Adagrad"
    paper = "Duchi, Hazan and Singer 2011"
    kind = "Adagrad"
    fused = True
    name: Literal["adagrad"]
    learning_rate: float = learning_rate(0.01)
    eps: Epsilon = Field(1e-10, description="Added to the divisor.")


class Adadelta(OptimizerOptions):
    """As Adagrad over a decaying window, with steps in the units of the weights."""

    title = "AdaDelta"
    paper = "Zeiler 2012"
    kind = "Adadelta"
    name: Literal["adadelta"]
    learning_rate: float = learning_rate(1.0)
    rho: Decay = Field(0.9, description="Decay of both running averages.")
    eps: Epsilon = Field(1e-6, description="Added under both roots.")


class RMSprop(OptimizerOptions):
    """Each weight's step is divided by the root of the running mean of its squared gradients."""

    title = "RMSProp"
    paper = "Hinton 2012, Neural networks for machine learning, lecture 6e"
    kind = "RMSprop"
    name: Literal["rmsprop"]
    learning_rate: float = learning_rate(0.001)
    alpha: Decay = Field(0.99, description="Decay of the running mean.")
    momentum: Decay = Field(
        0.0, description="How much of the last step is kept.", json_schema_extra=search(low=0.0, high=0.99)
    )
    eps: Epsilon = Field(1e-8, description="Added to the divisor.")


class Adam(OptimizerOptions):
    """Running means of the gradient and of its square, both corrected for their start at zero."""

    title = "Adam"
    paper = "Kingma and Ba 2015"
    kind = "Adam"
    fused = True
    name: Literal["adam"]
    learning_rate: float = learning_rate(0.001)
    beta1: Decay = Field(0.9, description="Decay of the mean of the gradient.")
    beta2: Decay = Field(0.999, description="Decay of the mean of its square.")
    eps: Epsilon = Field(1e-8, description="Added to the divisor.")

    def arguments(self) -> dict[str, Any]:
        """As the base class, with both decays in one pair."""
        options = super().arguments()
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
        return options


class AdamW(Adam):
    """Adam with weight decay taken out of the gradient's statistics."""

    title = "AdamW"
    paper = "Loshchilov and Hutter 2019"
    kind = "AdamW"
    name: Literal["adamw"]  # type: ignore[assignment]
    weight_decay: float = Field(
        0.01,
        ge=0.0,
        le=10.0,
        description="Share of each weight taken off at a step, times the learning rate.",
        json_schema_extra=search(low=1e-5, high=1.0, log=True),
    )


AnyOptimizer = Annotated[SGD | Adagrad | Adadelta | RMSprop | Adam | AdamW, Field(discriminator="name")]
OPTIMIZERS: tuple[type[OptimizerOptions], ...] = (SGD, Adagrad, Adadelta, RMSprop, Adam, AdamW)
