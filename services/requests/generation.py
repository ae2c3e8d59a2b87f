"""What is asked of a version that codes and generates, such as an autoencoder or a generator."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StrictInt, StrictStr

from services.requests.base import Request, Seed
from services.requests.predictions import PredictRequest

MAX_SAMPLES = 1024
"""Samples, codes or steps in one request."""
MAX_START = 10_000
MAX_UNITS = 10_000
"""Characters, words or subwords that a text may have."""

Label = StrictStr | StrictInt
"""A class by its name; a number stands for its text."""
Labels = Label | Annotated[list[Label], Field(min_length=1, max_length=MAX_SAMPLES)]
Codes = Annotated[
    list[Any], Field(min_length=1, max_length=MAX_SAMPLES, description="A list of numbers each, as many as a code has.")
]
Method = Literal["linear", "spherical"]


class GenerateRequest(Request):
    """How many samples, and what they are drawn from. What only images and rows have, or only texts, says so."""

    n: int = Field(16, ge=1, le=MAX_SAMPLES, description="Of texts at most 64.")
    seed: Seed | None = Field(None, description="The same seed gives the same bytes; without one it is drawn.")
    label: Labels | None = Field(
        None, description="The class, or one a sample, of a conditional model; by default all classes alike."
    )
    temperature: float = Field(
        1.0,
        gt=0,
        le=10,
        description="The standard deviation of the codes that are drawn; of texts, what the logarithms of "
        "probabilities are divided by.",
    )
    z: Codes | None = Field(None, description="Of images and rows: the codes, of which nothing is drawn then.")
    start: str = Field("", max_length=MAX_START, description="Of texts: what each begins with.")
    top_k: int | None = Field(None, ge=1, description="Of texts: only so many of the most probable tokens each time.")
    top_p: float = Field(
        1.0, gt=0, le=1, description="Of texts: only the most probable tokens that have this probability together."
    )
    max_length: int | None = Field(
        None, ge=1, le=MAX_UNITS, description="Of texts: units, the start's included; null: as many as were read."
    )


class DecodeRequest(Request):
    """Codes to be made samples again."""

    codes: Codes
    label: Labels | None = Field(None, description="The class, or one a code; conditional models want it.")


class InputsRequest(PredictRequest):
    """Inputs as a prediction takes them: rows, base64 images or lists of pixels."""

    label: Labels | None = Field(None, description="The class, or one an input; conditional models want it.")


class InterpolateRequest(Request):
    """The two ends of a path, each in its own form, and how it is gone.

    A whole number is a seed, a text an image in base64, a list of as many numbers as a code has a code; anything else
    is an input: pixels, or a row of a table.
    """

    model_config = ConfigDict(validate_by_alias=True, validate_by_name=True)

    start: Any = Field(alias="from", description="A seed, a code or an input.")
    end: Any = Field(alias="to", description="A seed, a code or an input.")
    steps: int = Field(8, ge=2, le=MAX_SAMPLES, description="Samples on the path, both ends included.")
    method: Method = "linear"
    label: Label | None = Field(None, description="The class; conditional models want it.")
