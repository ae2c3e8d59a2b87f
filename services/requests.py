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
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
VersionNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$", description="The number of a version.")]
VariantName = Literal["optimized", "fp16", "int8"]
ExplainMethod = Literal[
    "saliency", "integrated_gradients", "occlusion", "grad_cam", "feature_maps", "kernels", "deepdream"
]
LayerName = Annotated[str, Field(min_length=1, max_length=200)]


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


class FitsRequest(Request):
    """Base of requests that train an architecture several times, and register no model."""

    kind: str
    architecture: str
    dataset: Name
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class CrossValidateRequest(FitsRequest):
    """Estimate how well a configuration does on new rows, by training on parts of the training rows."""

    kind: Literal["cross_validate"]
    method: Literal["hold_out", "k_fold", "stratified_k_fold", "leave_one_out", "leave_p_out"] = Field(
        "k_fold", description="How the rows are divided, as scikit-learn's splitter of that name does."
    )
    folds: int = Field(5, ge=2, le=100, description="Of k_fold and stratified_k_fold.")
    p: int = Field(2, ge=1, le=10, description="Of leave_p_out: rows left out at a time.")
    test_size: float = Field(0.2, gt=0.0, lt=1.0, description="Of hold_out: share of the rows held out.")
    shuffle: bool = Field(True, description="Of hold_out and the two k_folds; false divides the rows in their order.")
    seed: Seed = Field(0, description="Of the shuffling.")


class LearningCurveRequest(FitsRequest):
    """Measure on training and validation rows against the number of training rows."""

    kind: Literal["learning_curve"]
    sizes: tuple[Annotated[float, Field(gt=0.0, le=1e9)], ...] = Field(
        (0.1, 0.25, 0.5, 0.75, 1.0),
        min_length=1,
        max_length=100,
        description="Up to 1: shares of the training rows; from 2 on: numbers of rows.",
    )
    repeats: int = Field(3, ge=1, le=100, description="Trainings of each size, with other rows and weights.")


class ValidationCurveRequest(FitsRequest):
    """Measure on training and validation rows against the values of one setting, such as the capacity."""

    kind: Literal["validation_curve"]
    parameter: str = Field(
        pattern=r"^(hyperparameters|training)(\.[a-z][a-z0-9_]{0,62}){1,4}$",
        description="Where the values go, such as `hyperparameters.hidden_dims` or `training.l2`.",
    )
    values: tuple[Any, ...] = Field(min_length=1, max_length=100)
    repeats: int = Field(1, ge=1, le=100, description="Trainings with each value, with other divisions and weights.")


class BiasVarianceRequest(FitsRequest):
    """Divide the error on the test rows into bias and variance, by training on bootstrap samples."""

    kind: Literal["bias_variance"]
    resamples: int = Field(20, ge=2, le=1000, description="Bootstrap samples, and so trainings.")
    seed: Seed = Field(0, description="Of the samples.")


class DeepDream(Request):
    """How `deepdream` climbs, for the pictures of samples and for those that it grows for each class."""

    steps: int = Field(20, ge=1, le=200, description="Steps of gradient ascent in each octave.")
    learning_rate: float = Field(
        2.0, gt=0.0, le=64.0, description="Mean change of a pixel in a step, in grey levels of 255."
    )
    octaves: int = Field(
        4, ge=1, le=8, description="Sizes at which it climbs, one after the other; none above 512 pixels a side."
    )
    octave_scale: float = Field(1.4, ge=1.1, le=2.0, description="How much larger each octave is than the one before.")
    layer: LayerName | None = Field(None, description="What is amplified; null: the request's `layer`.")
    channel: int | None = Field(None, ge=0, description="The one channel of it that is amplified; null: all.")


class ExplainRequest(Request):
    """Show where a version's answers come from and what its layers look for."""

    kind: Literal["explain"]
    model: Name
    version: int | str = "latest"
    methods: tuple[ExplainMethod, ...] = Field(
        ("saliency", "integrated_gradients"),
        min_length=1,
        max_length=7,
        description="Tables have the first two. `grad_cam` and what follows it are for networks with convolutions.",
    )
    dataset: Name | None = Field(None, description="Where the samples come from; null: the training's data set.")
    split: SplitName = "test"
    samples: (
        Annotated[int, Field(ge=1, le=64)]
        | Annotated[tuple[Annotated[int, Field(ge=0, le=2**53)], ...], Field(min_length=1, max_length=64)]
    ) = Field(8, description="Rows of the split, counted from 0; or how many, spread evenly over it.")
    target: str | None = Field(
        None, max_length=1000, description="The label that is explained; null: the one predicted."
    )
    layer: LayerName | None = Field(
        None,
        description="A layer with feature maps, for the methods that look at one. null: the last convolution, for "
        "`kernels` the first, and for `feature_maps` up to 8 from the first to the last.",
    )
    seed: Seed = Field(0, description="Of the noise and the jitter of `deepdream`.")
    deepdream: DeepDream = DeepDream()


JobRequest = Annotated[
    TrainRequest
    | EvaluateRequest
    | InferRequest
    | OptimizeRequest
    | ExplainRequest
    | CrossValidateRequest
    | LearningCurveRequest
    | ValidationCurveRequest
    | BiasVarianceRequest,
    Field(discriminator="kind"),
]
JOB_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)

DatasetFormat = Literal["auto", "image-folder", "mask-folder", "idx", "csv", "npz"]


class SplitOptions(Request):
    """Fractions of the samples to set aside at ingest."""

    validation: float = Field(0.0, ge=0.0, le=0.5)
    test: float = Field(0.0, ge=0.0, le=0.5)


class DatasetOptions(Request):
    """How to read an upload; what is absent is found out from the data."""

    target: str | None = Field(None, max_length=1000, description="Target column of a table; empty: unlabelled.")
    task: Literal["classification", "regression", "segmentation"] | None = None
    image_size: (
        Annotated[int, Field(ge=1, le=1024)]
        | tuple[Annotated[int, Field(ge=1, le=1024)], Annotated[int, Field(ge=1, le=1024)]]
        | None
    ) = Field(None, description="Height and width, or one number for both.")
    channels: Literal[1, 3] | None = None
    classes: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] | None = Field(
        None, min_length=2, max_length=256, description="Names of the classes of masks, by index."
    )
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
