"""An `evaluate` job."""

from typing import Literal

from services.requests.base import Name, Request, SplitName


class EvaluateRequest(Request):
    """Measure a version on a labelled data set."""

    kind: Literal["evaluate"]
    model: Name
    version: int | str = "latest"
    dataset: Name
    split: SplitName = "test"
