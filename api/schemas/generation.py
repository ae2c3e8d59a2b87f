"""What versions that code and generate answer.

Samples are `images`, PNG files in base64, or `rows` of a table by the names of its columns, whichever the model was
trained on.
"""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import Json, Schema

Images = Annotated[list[str] | None, Field(description="PNG files in base64.")]
Rows = Annotated[list[Json | list[float]] | None, Field(description="Rows of a table, by the names of its columns.")]
Codes = Annotated[list[list[float]], Field(description="A code for each sample.")]


class FromAVersion(Schema):
    """Who answers."""

    model: str
    version: int
    variant: str | None = None


class DecodedOut(FromAVersion):
    """A sample for each code, in their order."""

    images: Images = None
    rows: Rows = None


class Text(Schema):
    """A text that a model has written."""

    text: str
    label: str | None = Field(None, description="Its class, of a conditional model.")
    log_probability: float = Field(description="Natural logarithm of the probability of what is behind the start.")
    ended: bool = Field(description="Whether the model has ended it, and not the greatest length.")


class GeneratedOut(DecodedOut):
    """Samples, and what they were drawn from: `z` gives the same samples again, as does `seed`."""

    seed: int
    texts: list[Text] | None = None
    z: Codes | None = None
    labels: list[str] | None = Field(None, description="The class of each sample of a conditional model.")


class PathOut(DecodedOut):
    """Samples on the way from one end to the other, and their codes."""

    method: Literal["linear", "spherical"]
    codes: Codes


class EncodedOut(FromAVersion):
    """A code for each input, in their order."""

    codes: Codes


class Reconstruction(Schema):
    """What is left of an input when it has been coded and decoded."""

    image: str | None = Field(None, description="A PNG file in base64.")
    row: Json | list[float] | None = None
    error: float = Field(description="Mean squared error, on pixels from 0 to 1 or standardised columns.")


class ReconstructedOut(FromAVersion):
    """A reconstruction for each input, in their order."""

    reconstructions: list[Reconstruction]


class Anomaly(Schema):
    """How unusual an input is: anomalous if its score is above the threshold that few held-out rows surpass."""

    score: float
    threshold: float
    anomalous: bool


class AnomaliesOut(FromAVersion):
    """A score for each input, in their order."""

    anomalies: list[Anomaly]
