"""How to read an upload."""

from typing import Annotated, Literal

from pydantic import Field

from services.requests.base import Request

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
