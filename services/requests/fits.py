"""Jobs that train an architecture several times, and register no model."""

from typing import Annotated, Any, Literal

from pydantic import Field

from services.requests.base import Items, Name, Request, Seed, Task

Method = Literal["hold_out", "k_fold", "stratified_k_fold", "leave_one_out", "leave_p_out", "rolling_origin"]


class FitsRequest(Request):
    """Base of requests that train an architecture several times, and register no model."""

    kind: str
    architecture: str
    dataset: Name
    task: Task = None
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)


class CrossValidateRequest(FitsRequest):
    """Estimate how well a configuration does on new rows, by training on parts of the training rows."""

    kind: Literal["cross_validate"]
    method: Method = Field(
        "k_fold",
        description="How the rows are divided, as scikit-learn's splitter of that name does; series to forecast by "
        "time, which rolling_origin alone does.",
    )
    folds: int = Field(5, ge=2, le=100, description="Of k_fold, stratified_k_fold and rolling_origin.")
    p: int = Field(2, ge=1, le=10, description="Of leave_p_out: rows left out at a time.")
    test_size: float = Field(0.2, gt=0.0, lt=1.0, description="Of hold_out: share of the rows held out.")
    shuffle: bool = Field(True, description="Of hold_out and the two k_folds; false divides the rows in their order.")
    seed: Seed = Field(0, description="Of the shuffling.")


class LearningCurveRequest(FitsRequest):
    """Measure on training and validation rows against the number of training rows."""

    kind: Literal["learning_curve"]
    sizes: Items[Annotated[float, Field(gt=0.0, le=1e9)]] = Field(
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
    values: Items[Any] = Field(min_length=1, max_length=100)
    repeats: int = Field(1, ge=1, le=100, description="Trainings with each value, with other divisions and weights.")


class BiasVarianceRequest(FitsRequest):
    """Divide the error on the test rows into bias and variance, by training on bootstrap samples."""

    kind: Literal["bias_variance"]
    resamples: int = Field(20, ge=2, le=1000, description="Bootstrap samples, and so trainings.")
    seed: Seed = Field(0, description="Of the samples.")
