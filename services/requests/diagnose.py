"""A `diagnose` job."""

from typing import Literal

from pydantic import Field

from services.requests.base import Items
from services.requests.fits import FitsRequest

DiagnoseCheck = Literal[
    "data",
    "initial_loss",
    "overfit_batch",
    "gradients",
    "activations",
    "updates",
    "learning_rate",
    "fit",
    "label_noise",
]
ALL: tuple[DiagnoseCheck, ...] = (
    "data",
    "initial_loss",
    "overfit_batch",
    "gradients",
    "activations",
    "updates",
    "learning_rate",
    "fit",
    "label_noise",
)


class DiagnoseRequest(FitsRequest):
    """Find out why an architecture does not learn from a data set with these settings, or that it does."""

    kind: Literal["diagnose"]
    checks: Items[DiagnoseCheck] = Field(ALL, min_length=1, max_length=len(ALL), description="Which to make.")
    folds: int = Field(
        5, ge=2, le=20, description="Of `label_noise`: trainings, each of which judges the rows left out."
    )
