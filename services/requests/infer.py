"""An `infer` job."""

from typing import Literal

from services.requests.base import Name, Request


class InferRequest(Request):
    """Predict every sample of a data set and write the answers to a file."""

    kind: Literal["infer"]
    model: Name
    version: int | str = "latest"
    dataset: Name
    output_format: Literal["jsonl", "csv"] = "jsonl"
