"""Which versions of a model answer."""

from typing import Annotated

from pydantic import Field

from services.requests.base import Request

VersionNumber = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8}$", description="The number of a version.")]


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
