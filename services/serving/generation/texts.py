"""Texts that a version is asked for, each written by a coroutine of its own, whose steps are batched with all others.

The graph is the version's decoder: `previous` and `state` in, `log_probabilities` and `next_state` out.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from services.errors import Invalid
from services.requests.generation import GenerateRequest
from services.serving.calls import Found
from services.serving.generation import classes, codes
from services.serving.generation.calls import SEEDS
from services.serving.generation.sampling import Manner
from services.serving.generation.writing import Read, Step, read, write
from services.serving.model import ServedModel, tokenizer_of
from services.serving.predictions import Predictor, Wish
from shapes.tokens import END, Tokenizer, composed

MAX_TEXTS = 64
MAX_LENGTH = 1000
"""Units of a text where neither the request nor the version's own input says how long."""
MAX_ALL_UNITS = 2**14
"""Of all texts in one answer."""
TAKES = ("n", "seed", "label", "temperature", "start", "top_k", "top_p", "max_length")


@dataclass(eq=False)
class Text:
    """One text, as far as it is written."""

    place: int
    begin: int
    label: str | None
    text: str
    log_probability: float = 0.0
    ended: bool = False

    @property
    def words(self) -> dict[str, Any]:
        """As it is answered."""
        return {"text": self.text, "label": self.label, "log_probability": self.log_probability, "ended": self.ended}


class Piece(NamedTuple):
    """What was written last, and the place of the text that it is of."""

    place: int
    text: str


class Written(NamedTuple):
    """Texts, what they were drawn from, whose they are, and what it took."""

    model: ServedModel
    told: dict[str, Any]
    queue_seconds: float
    decode_seconds: float
    infer_seconds: float


@dataclass(eq=False)
class TextCall:
    """Texts to be written."""

    found: Found
    wish: Wish
    seed: int
    texts: list[Text]
    start: list[int]
    max_length: int
    manner: Manner
    decode_seconds: float
    tokenizer: Tokenizer

    @classmethod
    def of(cls, request: GenerateRequest, found: Found, wish: Wish) -> "TextCall":
        """What a request asks of a version. Raises `Invalid` naming the field."""
        started_at = time.monotonic()
        tokenizer, generative = tokenizer_of(found.model), found.model.generative or {}
        start = _start(request, tokenizer)
        max_length = request.max_length or min(tokenizer.max_length, MAX_LENGTH)
        _check(request, len(start), max_length)
        seed = secrets.randbelow(SEEDS) if request.seed is None else request.seed
        chosen = classes.chosen(request.label, request.n, seed, generative)
        labels = [None] * request.n if chosen is None else chosen.tolist()
        names = [None if label is None else generative["classes"][label] for label in labels]
        texts = [
            Text(place, tokenizer.begin(label), name, composed(request.start))
            for place, (label, name) in enumerate(zip(labels, names, strict=True))
        ]
        manner = Manner(request.temperature, request.top_k, request.top_p)
        seconds = time.monotonic() - started_at
        return cls(found, wish, seed, texts, start, max_length, manner, seconds, tokenizer)

    async def made(self, predictor: Predictor) -> Written:
        """All texts. Raises `TooManyRequests`, `DeadlineExceeded` and `Invalid`."""
        started_at = time.monotonic()
        async for _ in self.pieces(predictor):
            pass
        return self.written(time.monotonic() - started_at)

    def written(self, seconds: float) -> Written:
        """The texts, once all pieces have come."""
        told = {"seed": self.seed, "texts": [text.words for text in self.texts]}
        return Written(self.found.model, told, 0.0, self.decode_seconds, seconds)

    async def pieces(self, predictor: Predictor) -> AsyncGenerator[Piece]:
        """Of all texts as they are written; who leaves off ends the writing. Raises as `made`."""
        pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        work = asyncio.ensure_future(self._write(self._step(predictor), pieces))
        work.add_done_callback(lambda _: pieces.put_nowait(None))
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await work
        finally:
            work.cancel()

    async def _write(self, step: Step, pieces: "asyncio.Queue[Piece | None]") -> None:
        """All texts at once; what they begin with is read once for all that have the same mark."""
        (shape,) = (spec.shape[1:] for spec in self.found.loaded.network.inputs if spec.name == "state")
        state = np.zeros(shape, np.float32)
        try:
            async with asyncio.TaskGroup() as group:
                begins = {text.begin for text in self.texts}
                known = {begin: group.create_task(read(step, [begin, *self.start], state)) for begin in begins}
                for text in self.texts:
                    group.create_task(self._write_one(step, known[text.begin], text, pieces))
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _write_one(
        self, step: Step, known: "asyncio.Task[Read]", text: Text, pieces: "asyncio.Queue[Piece | None]"
    ) -> None:
        draws = codes.draw_tokens(self.seed, text.place, self.max_length - len(self.start))
        async for token in write(step, await known, draws, self.manner):
            text.log_probability += token.log_probability
            text.ended = token.number == END
            if not text.ended:
                piece = self.tokenizer.labels[token.number]
                piece = piece if text.text else piece.lstrip()
                text.text += piece
                pieces.put_nowait(Piece(text.place, piece))

    def _step(self, predictor: Predictor) -> Step:
        """One row of the version's graph, run together with whatever else waits."""
        loaded, wish = self.found.loaded, self.wish

        async def step(token: int, state: np.ndarray) -> Read:
            feeds = {"previous": np.array([token]), "state": state[None]}
            answer = await predictor.engine.run(loaded, feeds, 1, deadline=wish.deadline, priority=wish.priority)
            outputs = loaded.network.named(answer.outputs)
            return Read(outputs["log_probabilities"][0], outputs["next_state"][0])

        return step


def _start(request: GenerateRequest, tokenizer: Tokenizer) -> list[int]:
    if request.start and not tokenizer.fits(request.start):
        msg = f"has more than the {tokenizer.max_length} {tokenizer.unit} that the model reads"
        raise Invalid.field("start_too_long", ["body", "start"], msg)
    return [token for token in tokenizer.encode(request.start) if token != END]


def _check(request: GenerateRequest, start: int, max_length: int) -> None:
    """Raise `Invalid` for what texts have not, and for more than one answer may have."""
    if request.z is not None:
        msg = f"this model writes texts, which have no codes; it takes {', '.join(TAKES)}"
        raise Invalid.field("field_unexpected", ["body", "z"], msg)
    if request.n > MAX_TEXTS:
        raise Invalid.field("too_many_texts", ["body", "n"], f"at most {MAX_TEXTS} texts in one answer")
    if start >= max_length:
        msg = f"the start has {start} units, and the whole text may have {max_length}; allow more"
        raise Invalid.field("start_too_long", ["body", "max_length"], msg)
    if request.n * max_length > MAX_ALL_UNITS:
        most = f"at most {MAX_ALL_UNITS} units in all"
        msg = f"{request.n} texts of {max_length} units are too many for one answer; {most}"
        raise Invalid.field("answer_too_large", ["body", "max_length"], msg)
