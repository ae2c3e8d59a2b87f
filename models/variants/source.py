"""What variants are made of, and why one cannot be made."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import onnx

from models.inference import load
from models.random_inputs import Feeds


class Refused(Exception):
    """This variant cannot be made of this graph; the message says why, for the user."""


@dataclass(frozen=True)
class Source:
    """A version's graph and the inputs to calibrate with."""

    original: bytes
    scratch: Path
    threads: int
    calibration: Iterator[Feeds] = field(default_factory=lambda: iter(()))
    """Batches of training inputs."""

    @cached_property
    def basic(self) -> onnx.ModelProto:
        """The graph with constants folded and batch normalisation inside the convolutions, in standard operators.

        Do not change it: every variant begins with it.
        """
        path = self.scratch / "basic.onnx"
        load(self.original, self.threads, write_simplified_to=path)
        return onnx.load_model_from_string(path.read_bytes())
