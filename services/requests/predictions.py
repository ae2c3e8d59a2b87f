"""What is to be predicted."""

from typing import Any

from pydantic import Field

from services.requests.base import Request


class PredictRequest(Request):
    """The inputs of a prediction: rows, base64 images, lists of pixels, or texts."""

    inputs: list[Any] = Field(min_length=1)
