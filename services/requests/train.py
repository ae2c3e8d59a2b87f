"""A `train` job."""

from typing import Any, Literal

from pydantic import Field

from services.requests.base import Name, NewModel, Request, Task


class TrainRequest(Request):
    """Train an architecture on a data set and register the result as a new version of a model."""

    kind: Literal["train"]
    architecture: str
    dataset: Name
    task: Task = None
    model: NewModel | None = Field(None, description="Default: `<dataset>-<architecture>`.")
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
