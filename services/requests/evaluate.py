"""An `evaluate` job."""

from typing import Literal

from pydantic import Field

from services.requests.base import Name, Request, SplitName


class Against(Request):
    """A version to compare with."""

    model: Name | None = Field(None, description="null: the model that is evaluated.")
    version: int | str = "latest"


class EvaluateRequest(Request):
    """Measure a version on a labelled data set."""

    kind: Literal["evaluate"]
    model: Name
    version: int | str = "latest"
    dataset: Name
    split: SplitName = "test"
    hardest: int = Field(25, ge=0, le=100, description="How many of the rows on which it is most wrong are listed.")
    against: Against | None = Field(
        None, description="Another version for the same inputs and classes, compared on the same rows."
    )
