"""An `optimize` job, and which of its variants is served."""

from typing import Literal

from pydantic import Field

from services.requests.base import Items, Name, Request

VariantName = Literal["optimized", "fp16", "int8"]


class OptimizeRequest(Request):
    """Make smaller or faster files of a version and keep those that answer nearly as well."""

    kind: Literal["optimize"]
    model: Name
    version: int | str = "latest"
    variants: Items[VariantName] = Field(
        ("optimized", "fp16", "int8"),
        min_length=1,
        max_length=3,
        description="`optimized`: simplified ahead; `fp16`: half precision, for GPUs; `int8`: eight bits, for CPUs.",
    )
    max_accuracy_loss: float = Field(
        0.01,
        ge=0.0,
        le=1.0,
        description="The most that a variant may lose of accuracy, or of R², on the rows held out in training.",
    )
    calibration_samples: int = Field(
        256, ge=1, le=4096, description="Training rows from which int8 learns the ranges of activations."
    )


class VariantTarget(Request):
    """The variant that is served when a request names none."""

    variant: VariantName | None = Field(description="null: the version's own file.")
