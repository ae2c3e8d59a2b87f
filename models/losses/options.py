"""Loss functions by name, each with its options as a pydantic model that builds it.

torch is imported when a loss is built, so that settings can be read and checked without it.
Every loss is the mean over the batch. It takes the natural parameter and the target of its head (see `heads`), which
is the end of the network: of a regression, standardised targets, unless a loss says otherwise.
"""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.errors import UnsuitableData
from models.registry import search
from shapes import quantiles
from shapes.tokens import NO_TARGET

if TYPE_CHECKING:
    from torch import Tensor, nn

    from models.losses.heads import Head


class LossOptions(BaseModel, ABC):
    """Base of every loss's options."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    title: ClassVar[str]
    tasks: ClassVar[tuple[str, ...]]
    name: str

    @property
    def levels(self) -> list[str] | None:
        """The quantiles that there is an output for, of each number to be learned; None where one is the answer."""
        return None

    head: ClassVar[str]
    """The class in `heads` whose parameters the loss fits."""

    @abstractmethod
    def build(self) -> "nn.Module":
        """The loss as a module of (natural parameters, targets)."""

    def fit(self, targets: "Tensor", num_outputs: int) -> "nn.Module":
        """The same for training targets like these."""
        return self.build()

    def fit_head(self, targets: "Tensor", num_outputs: int) -> "Head":
        """The head of this loss, fitted to the training targets."""
        from models.losses import heads

        head: Head = getattr(heads, self.head)(targets, num_outputs)
        return head

    def require_suitable(self, targets: "Tensor") -> None:
        """Refuse targets that this loss has no value for.

        Raises:
            UnsuitableData: there are such targets.
        """


class CrossEntropy(LossOptions):
    """-log softmax(logits)_k for the true class k; logits (N, K, ...), targets (N, ...) of int64.

    The mean is over the targets that are not `NO_TARGET`.
    """

    title = "Cross-entropy"
    tasks = ("classification", "segmentation", "tagging", "translation", "text_generation")
    head = "Categorical"
    name: Literal["cross_entropy"]
    label_smoothing: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="Share of the target's probability spread over all classes.",
        json_schema_extra=search(low=0.0, high=0.2),
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="balanced: a target counts the more, the rarer its class is in training, so that all classes count "
        "alike.",
        json_schema_extra=search(choices=["none", "balanced"]),
    )

    def build(self) -> "nn.Module":
        """The loss as a module, of targets that count alike."""
        from torch import nn

        return nn.CrossEntropyLoss(ignore_index=NO_TARGET, label_smoothing=self.label_smoothing)

    def fit(self, targets: "Tensor", num_outputs: int) -> "nn.Module":
        """The loss whose weights are n / (K n_k) for the n targets of K classes, of which n_k are of the class k.

        A class without any counts as if it had one. The mean is over the weights.
        """
        loss = self.build()
        if self.class_weights == "balanced":
            known = targets[targets != NO_TARGET].long()
            counts_K = known.bincount(minlength=num_outputs).clamp(min=1)
            loss.register_buffer("weight", len(known) / (num_outputs * counts_K.float()))
        return loss


class BinaryCrossEntropy(LossOptions):
    """-log σ(z_t) - Σ_{k≠t} log(1 - σ(z_k)) for the true class t: each class by itself against the rest.

    Logits (N, K), targets (N,) of int64. Of two classes this is twice a logistic regression, once for each class.
    Answers are σ(z_k) / Σ_j σ(z_j), so that they sum to 1. Source: Rifkin and Klautau 2004, In defense of
    one-vs-all classification.
    """

    title = "Binary cross-entropy, each class against the rest"
    tasks = ("classification",)
    head = "Bernoulli"
    name: Literal["binary_cross_entropy"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from models.losses.likelihoods import BinaryCrossEntropy

        return BinaryCrossEntropy()


class Perceptron(LossOptions):
    """max_k z_k - z_t for the true class t: how far the highest score is above it, and 0 where the answer is right.

    Scores (N, K), targets (N,) of int64. Source: Rosenblatt 1958; for more than two classes Kesler's construction
    (Duda and Hart 1973).
    """

    title = "Perceptron criterion"
    tasks = ("classification",)
    head = "Categorical"
    name: Literal["perceptron"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from models.losses.margins import PerceptronCriterion

        return PerceptronCriterion()


class Dice(LossOptions):
    """1 - (2 Σ p t + 1) / (Σ p + Σ t + 1) of each class in each image; logits (N, K, H, W), targets (N, H, W) of int64.

    Small regions count as much as large ones. Source: Milletari et al. 2016, V-Net.
    """

    title = "Soft Dice, of each class's overlap"
    tasks = ("segmentation",)
    head = "Categorical"
    name: Literal["dice"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from models.losses.overlap import SoftDice

        return SoftDice()


class MSE(LossOptions):
    """(y - t)²: up to constants, the negative log-likelihood of a normal distribution of fixed variance."""

    title = "Mean squared error"
    tasks = ("regression", "forecasting")
    head = "Gaussian"
    name: Literal["mse"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from torch import nn

        return nn.MSELoss()


class MAE(LossOptions):
    """|y - t|."""

    title = "Mean absolute error"
    tasks = ("regression", "forecasting")
    head = "Gaussian"
    name: Literal["mae"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from torch import nn

        return nn.L1Loss()


class Huber(LossOptions):
    """(y - t)² / 2 within delta, delta · (|y - t| - delta / 2) beyond it (Huber 1964)."""

    title = "Huber"
    tasks = ("regression", "forecasting")
    head = "Gaussian"
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


class Poisson(LossOptions):
    """λ - t · log λ + log t!: the negative log-likelihood of a count t, for log λ = z + log(mean of the counts)."""

    title = "Poisson negative log-likelihood"
    tasks = ("regression",)
    head = "Poisson"
    name: Literal["poisson"]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from models.losses.likelihoods import PoissonNLL

        return PoissonNLL()

    def require_suitable(self, targets: "Tensor") -> None:
        """Refuse negative targets. What is not whole is taken for the mean of counts."""
        if bool((targets < 0).any()):
            raise UnsuitableData(
                f"`training.loss` poisson is for counts, and the least target is {float(targets.min()):g}; "
                "try mse or huber."
            )


class Pinball(LossOptions):
    """max(τ (t - y), (τ - 1) (t - y)) for each level τ, the mean over the levels: least where y is the τ-quantile.

    Source: Koenker and Bassett 1978, Regression quantiles.
    """

    title = "Pinball, of quantiles"
    tasks = ("forecasting",)
    head = "Quantiles"
    name: Literal["pinball"]
    quantiles: tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...] = Field(
        (0.1, 0.5, 0.9),
        min_length=1,
        max_length=99,
        description="Levels of the quantiles, in ascending order around 0.5, which is the forecast.",
        json_schema_extra={"format": quantiles.FORMAT} | search(choices=[[0.1, 0.5, 0.9]]),
    )

    @field_validator("quantiles")
    @classmethod
    def _around_the_median(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        quantiles.require_around_median(levels)
        return levels

    @property
    def levels(self) -> list[str]:
        """The quantiles' levels."""
        return [f"{level:g}" for level in self.quantiles]

    def build(self) -> "nn.Module":
        """The loss as a module."""
        from models.losses.likelihoods import Pinball

        return Pinball(self.quantiles)


AnyLoss = Annotated[
    CrossEntropy | BinaryCrossEntropy | Perceptron | Dice | MSE | MAE | Huber | Poisson | Pinball,
    Field(discriminator="name"),
]
LOSSES: tuple[type[LossOptions], ...] = (
    CrossEntropy,
    BinaryCrossEntropy,
    Perceptron,
    Dice,
    MSE,
    MAE,
    Huber,
    Poisson,
    Pinball,
)
