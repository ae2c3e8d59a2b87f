"""What a job may be asked for: one pydantic model a kind, told apart by `kind`.

`hyperparameters` and `training` are checked against the catalogue's JSON Schemas (`services.catalogue`).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="Letters, digits, `.`, `_` and `-`, at most 63, beginning with a letter or digit.",
    ),
]
SplitName = Literal["train", "validation", "test"]
VersionNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$", description="The number of a version.")]
VariantName = Literal["optimized", "fp16", "int8"]


class Request(BaseModel):
    """Base of all requests: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class TrainRequest(Request):
    """Train an architecture on a data set and register the result as a new version of a model."""

    kind: Literal["train"]
    architecture: str
    dataset: Name
    model: Name | None = Field(None, description="Default: `<dataset>-<architecture>`.")
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class EvaluateRequest(Request):
    """Measure a version on a labelled data set."""

    kind: Literal["evaluate"]
    model: Name
    version: int | str = "latest"
    dataset: Name
    split: SplitName = "test"


class InferRequest(Request):
    """Predict every sample of a data set and write the answers to a file."""

    kind: Literal["infer"]
    model: Name
    version: int | str = "latest"
    dataset: Name
    output_format: Literal["jsonl", "csv"] = "jsonl"


class OptimizeRequest(Request):
    """Make smaller or faster files of a version and keep those that answer nearly as well."""

    kind: Literal["optimize"]
    model: Name
    version: int | str = "latest"
    variants: tuple[VariantName, ...] = Field(
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


JobRequest = Annotated[TrainRequest | EvaluateRequest | InferRequest | OptimizeRequest, Field(discriminator="kind")]
JOB_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)

DatasetFormat = Literal["auto", "image-folder", "idx", "csv", "npz"]


class SplitOptions(Request):
    """Fractions of the samples to set aside at ingest."""

    validation: float = Field(0.0, ge=0.0, le=0.5)
    test: float = Field(0.0, ge=0.0, le=0.5)


class DatasetOptions(Request):
    """How to read an upload; what is absent is found out from the data."""

    target: str | None = Field(None, max_length=1000, description="Target column of a table; empty: unlabelled.")
    task: Literal["classification", "regression"] | None = None
    image_size: (
        Annotated[int, Field(ge=1, le=1024)]
        | tuple[Annotated[int, Field(ge=1, le=1024)], Annotated[int, Field(ge=1, le=1024)]]
        | None
    ) = Field(None, description="Height and width, or one number for both.")
    channels: Literal[1, 3] | None = None
    split: SplitOptions | None = None


class AliasTarget(Request):
    """The version that an alias names."""

    version: int = Field(ge=1, le=10**9)


class TrafficTarget(Request):
    """How requests that name no version are shared between versions."""

    weights: dict[VersionNumber, Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)]] = Field(
        min_length=1,
        max_length=100,
        description="A weight for each version that answers, by number; they need not add up to 1.",
    )
    shadow: Annotated[int, Field(ge=1, le=10**9)] | None = Field(
        None, description="A version that is asked beside the one that answers, for comparison."
    )


class VariantTarget(Request):
    """The variant that is served when a request names none."""

    variant: VariantName | None = Field(description="null: the version's own file.")


class PredictRequest(Request):
    """The inputs of a prediction: rows, base64 images or lists of pixels."""

    inputs: list[Any] = Field(min_length=1)
