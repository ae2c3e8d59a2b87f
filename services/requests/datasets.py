"""How to read an upload."""

from typing import Annotated, Literal

from pydantic import Field, Strict

from services.requests.base import Items, Request

DatasetFormat = Literal[
    "auto",
    "image-folder",
    "mask-folder",
    "idx",
    "csv",
    "parquet",
    "npz",
    "text-folder",
    "text-classes",
    "pairs",
    "conll",
    "trees",
    "series",
]
DatasetTask = Literal["classification", "regression", "segmentation", "tagging", "translation", "forecasting"]
Side = Annotated[int, Field(ge=1, le=1024)]
Gaps = Literal["refuse", "interpolate"]


class SplitOptions(Request):
    """Fractions of the samples to set aside at ingest."""

    validation: float = Field(0.0, ge=0.0, le=0.5)
    test: float = Field(0.0, ge=0.0, le=0.5)


class DatasetOptions(Request):
    """How to read an upload; what is absent is found out from the data."""

    target: str | None = Field(
        None,
        max_length=1000,
        description="Target column of a table or series, or its number in pairs and tagged words; empty: unlabelled.",
    )
    task: DatasetTask | None = None
    image_size: Side | Annotated[tuple[Side, Side], Strict(False)] | None = Field(
        None, description="Height and width, or one number for both."
    )
    channels: Literal[1, 3] | None = None
    classes: Items[Annotated[str, Field(min_length=1, max_length=200)]] | None = Field(
        None, min_length=2, max_length=256, description="Names of the classes of masks, by index."
    )
    time: str | None = Field(None, max_length=1000, description="Column with the times of a series.")
    series: str | None = Field(None, max_length=1000, description="Column that names the series that a row is of.")
    known_ahead: Items[Annotated[str, Field(min_length=1, max_length=1000)]] | None = Field(
        None, max_length=1000, description="Columns of a series that are known in advance."
    )
    gaps: Gaps | None = Field(None, description="What to do with times and values that a series lacks.")
    split: SplitOptions | None = None
