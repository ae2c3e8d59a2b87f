"""Calls: requests that are decoded and ready to be run, and how each turns the network's outputs into its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from services.serving.answers import About, Naming, Prediction, bytes_to_draw, mark_cut, name_answers, tempered
from services.serving.batch import Answer
from services.serving.directory import Entry
from services.serving.engine import Loaded
from services.serving.model import ServedModel
from services.serving.network import Feeds
from services.serving.protocol.requests import Header
from services.serving.protocol.responses import encode

NAMING_BYTES = 256
"""Naming one row's answer takes about as long as putting so many bytes in words."""


class Found(NamedTuple):
    """A model, the file of it that answers, and that file in memory."""

    entry: Entry
    model: ServedModel
    loaded: Loaded


class Predictions(NamedTuple):
    """One prediction an input, in their order, who made them, and what the steps took."""

    model: ServedModel
    items: list[Prediction]
    queue_seconds: float
    decode_seconds: float
    infer_seconds: float


class Inference(NamedTuple):
    """What answers a request of the protocol: a body, the length of the JSON if binary data follow, and whose it is."""

    model: ServedModel
    body: bytes
    header_length: int | None
    queue_seconds: float
    infer_seconds: float


@dataclass(slots=True, eq=False)
class Call:
    """What is to be run, and by when."""

    found: Found
    feeds: Feeds
    rows: int
    deadline: float
    priority: int

    def effort(self, answer: Answer) -> int:
        """By what putting the answer in words takes time: bytes of outputs."""
        return answer.num_bytes


@dataclass(slots=True, eq=False)
class PredictCall(Call):
    """A prediction to be answered by name."""

    naming: Naming
    about: About
    cut: Sequence[int]
    decode_seconds: float

    def effort(self, answer: Answer) -> int:
        """The same, the bytes of pictures to be made of them, and what it takes to name each row's."""
        return answer.num_bytes + bytes_to_draw(self.found.model.signature, self.about) + NAMING_BYTES * self.rows

    def answer(self, answer: Answer) -> Predictions:
        """The predictions. Raises `Invalid` naming the input whose answer is not a finite number."""
        model = self.found.model
        names, outputs = self.found.loaded.network.output_names, answer.outputs
        if self.naming.calibrated and model.temperature is not None:
            outputs = [tempered(outputs[0], model.temperature)]
        items = name_answers(model.signature, names, outputs, self.naming.top_k, self.about)
        mark_cut(items, self.cut)
        return Predictions(model, items, answer.queue_seconds, self.decode_seconds, answer.infer_seconds)


@dataclass(slots=True, eq=False)
class InferCall(Call):
    """A request of the Open Inference Protocol."""

    request: Header

    def answer(self, answer: Answer) -> Inference:
        """The response's body. Raises `Invalid` for outputs asked for in JSON that JSON does not carry."""
        model = self.found.model
        outputs = self.found.loaded.network.named(answer.outputs)
        body, length = encode(self.request, model.name, str(model.version), outputs)
        return Inference(model, body, length, answer.queue_seconds, answer.infer_seconds)
