"""What a training request may say about training, with bounds and defaults. Imports no torch."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import JobError, faults
from models.losses import AnyLoss
from models.registry import search
from models.training.optimizers import Adam, AnyOptimizer
from models.training.schedulers import AnyScheduler, Constant

BatchSize = Annotated[int, Field(ge=1, le=65536)]
Augmentation = Literal["flip", "crop", "rotate", "erase", "noise", "brightness", "contrast"]
Share = Annotated[float, Field(ge=0.0, le=0.5)]


class Split(BaseModel):
    """How to hold rows out of a source that comes without a validation or test split of its own.

    The shares are of the source's training rows. Classes keep their proportions. The same seed always
    holds out the same rows.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    validation: Share = Field(0.2, description="Share of the rows for choosing the best epoch.")
    test: Share = Field(0.2, description="Share of the rows for the final metrics.")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="Which rows are held out.")


class EarlyStopping(BaseModel):
    """Stop when a validation metric has not improved for `patience` epochs (Prechelt 1998)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    metric: str = Field(
        "val_loss",
        pattern="^val_[a-z0-9_]+$",
        description="The metric to watch, by which the best epoch is chosen too: val_loss, or what the catalogue's "
        "entry of the task has under `watched`.",
    )
    patience: int = Field(
        5,
        ge=1,
        le=10_000,
        description="Epochs without improvement after which training stops.",
        json_schema_extra=search(low=2, high=20),
    )
    min_delta: float = Field(0.0, ge=0.0, description="The least change that counts as an improvement.")


class TrainingSettings(BaseModel):
    """The `training` object of a request, defaults filled in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(
        10, ge=1, le=10_000, description="Passes over the training rows.", json_schema_extra=search(low=5, high=100)
    )
    batch_size: BatchSize | Literal["all"] = Field(
        64,
        description="Rows to a step; `all` is batch gradient descent, 1 stochastic.",
        json_schema_extra=search(choices=[16, 32, 64, 128, 256]),
    )
    seed: int = Field(
        0, ge=0, le=2**32 - 1, description="Initial weights, order of the rows, dropout, augmentation, noise."
    )
    optimizer: AnyOptimizer = Field(Adam(name="adam"), description="How a gradient becomes a step.")
    scheduler: AnyScheduler = Field(Constant(name="constant"), description="How the learning rate changes.")
    loss: AnyLoss | None = Field(
        None, description="What is minimised; null takes the architecture's or the task's own."
    )
    early_stopping: EarlyStopping | None = Field(None, description="When to stop before the last epoch.")
    l1: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="Weight of the sum of absolute weights in the loss; biases are left out.",
        json_schema_extra=search(low=1e-6, high=1e-1, log=True),
    )
    l2: float = Field(
        0.0,
        ge=0.0,
        le=1000.0,
        description="Weight of the sum of squared weights in the loss; biases are left out.",
        json_schema_extra=search(low=1e-6, high=1e-1, log=True),
    )
    gradient_clip: float | None = Field(
        None,
        gt=0.0,
        le=1e6,
        description="Largest Euclidean norm of the whole gradient; null does not clip.",
        json_schema_extra=search(choices=[None, 0.5, 1.0, 5.0]),
    )
    truncate_steps: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="Steps over which gradients go back in time, of recurrent networks: truncated back-propagation, "
        "which carries on the states alone (Williams and Peng 1990); null goes back to the first step.",
        json_schema_extra=search(choices=[None, 16, 64]),
    )
    gradient_norm: bool = Field(
        False,
        description="Report the Euclidean norm of every step's gradient, before it is clipped; of recurrent networks "
        "that answer at the end of a row it always is.",
    )
    ema: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="Decay of a moving average of the weights, which is validated and exported in their place; null "
        "takes the weights themselves.",
        json_schema_extra=search(choices=[None, 0.99, 0.999]),
    )
    label_noise: float = Field(
        0.0,
        ge=0.0,
        le=1.0,
        description="How much training targets are spoilt, anew each time: the probability that a class is replaced "
        "by a random one; of a number, the standard deviation of what is added, in those of the target.",
        json_schema_extra=search(low=0.0, high=0.3),
    )
    augmentation: tuple[Augmentation, ...] = Field(
        (),
        max_length=len(get_args(Augmentation)),
        description="Random changes to training images, in this order: flip mirrors left to right; crop shifts by up "
        "to an eighth; rotate turns by up to 15 degrees; erase overwrites a rectangle; noise, brightness and contrast "
        "change the pixels.",
        json_schema_extra=search(choices=[[], ["crop"], ["flip", "crop"], ["flip", "crop", "erase"]]),
    )
    split: Split = Field(Split(), description="Rows to hold out where the source does not.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="`auto` is CUDA where there is one.")
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="`auto` is mixed precision on CUDA, float32 on the CPU."
    )


def training_settings(request: dict[str, Any]) -> TrainingSettings:
    """The settings of a request's `training` object, defaults filled in.

    Raises:
        JobError: `invalid_training`, naming each field that is unknown or out of bounds.
    """
    try:
        return TrainingSettings.model_validate(request)
    except ValidationError as error:
        raise JobError("invalid_training", faults("training", error)) from error
