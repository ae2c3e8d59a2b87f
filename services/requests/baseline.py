"""A `baseline` job."""

from typing import Any, Literal

from pydantic import Field

from services.requests.base import Items, Name, Request, Seed

BaselineFamily = Literal["random", "classical", "automl"]


class BaselineRequest(Request):
    """Measure what can be had without a network, on the rows that a train job with the same `split` is measured on."""

    kind: Literal["baseline"]
    dataset: Name
    families: Items[BaselineFamily] | None = Field(
        None,
        min_length=1,
        max_length=3,
        description="`random` guesses, `classical` learners of scikit-learn, `automl`: a search by FLAML. "
        "null: all that the data set's task has.",
    )
    time_budget_seconds: float = Field(60.0, ge=1.0, le=86_400.0, description="Of `automl`.")
    training: dict[str, Any] = Field(default_factory=dict, description="`split` alone, as in a train job.")
    seed: Seed = Field(0, description="Of the guesses, the learners and the search.")
