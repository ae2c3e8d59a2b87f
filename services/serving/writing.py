"""Texts that are searched for step by step, by a version's `encoder` and `decoder`, where a request asks for a beam.

Each row is a coroutine of its own, whose steps are batched with all others of its shape, whoever asks for them.
What the decoder gives as `next_NAME` is `NAME` at the next step.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from services.errors import Conflict, Invalid
from services.serving.answers import Prediction, mark_cut, written_answer
from services.serving.beam import Given, Written, search
from services.serving.calls import Predictions
from services.serving.engine import Engine, Loaded
from services.serving.model import SEARCHED, ServedModel, tokenizer_of
from services.serving.network import Feeds

MAX_BEAM_WIDTH = 16
ROWS_AT_ONCE = 16
"""Rows of one request that are written at a time: each holds what its encoder has made of it."""
NEXT = "next_"


class Search(NamedTuple):
    """What a request wishes of the texts; None where it says nothing."""

    beam_width: int | None = None
    max_length: int | None = None


class Parts(NamedTuple):
    """A version's graphs in memory."""

    encoder: Loaded
    decoder: Loaded


def limits(model: ServedModel, wished: Search) -> tuple[int, int]:
    """The width of the beam and the greatest length. Raises `Conflict` and `Invalid` for what a version cannot do."""
    signature = model.signature
    if signature["task"] not in SEARCHED:
        detail = f"Model {model.name!r} does {signature['task']}; `beam_width` and `max_length` are for texts to write."
        raise Conflict("call_unsupported", detail)
    most, unit = (signature["output"]["tokenizer"][name] for name in ("max_length", "unit"))
    if wished.max_length is not None and wished.max_length > most:
        raise Invalid.field("max_length_invalid", ["query", "max_length"], f"the model writes at most {most} {unit}")
    return wished.beam_width or 1, wished.max_length or most


@dataclass(eq=False)
class Writer:
    """The texts of one request."""

    engine: Engine
    model: ServedModel
    parts: Parts
    deadline: float
    priority: int
    width: int
    max_length: int

    async def predict(self, feeds: Feeds, cut: Sequence[int], decode_seconds: float) -> Predictions:
        """The best text of each row. Raises `TooManyRequests`, `DeadlineExceeded` and `Invalid`."""
        started_at, turns = time.monotonic(), asyncio.Semaphore(ROWS_AT_ONCE)
        try:
            async with asyncio.TaskGroup() as group:
                rows = ({name: array[row : row + 1] for name, array in feeds.items()} for row in range(_rows(feeds)))
                tasks = [group.create_task(self._write(row, turns)) for row in rows]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        tokenizer = tokenizer_of(self.model, "output")
        texts = [task.result() for task in tasks]
        items: list[Prediction] = [
            written_answer(index, text.tokens, text.score, tokenizer) for index, text in enumerate(texts)
        ]
        mark_cut(items, cut)
        return Predictions(self.model, items, 0.0, decode_seconds, time.monotonic() - started_at)

    async def _write(self, row: Feeds, turns: asyncio.Semaphore) -> Written:
        async with turns:
            given = {**row, **await self._run(self.parts.encoder, row)}
            taken = {name: given[name] for name in self.parts.decoder.network.input_names if name in given}
            return await search(self._step, taken, width=self.width, max_length=self.max_length)

    async def _step(self, last_B: np.ndarray, given: Given) -> tuple[np.ndarray, Given]:
        outputs = await self._run(self.parts.decoder, {"previous": last_B, **given})
        changed = {name.removeprefix(NEXT): array for name, array in outputs.items() if name.startswith(NEXT)}
        return outputs["log_probabilities"], changed

    async def _run(self, loaded: Loaded, feeds: Feeds) -> Mapping[str, np.ndarray]:
        answer = await self.engine.run(loaded, feeds, _rows(feeds), deadline=self.deadline, priority=self.priority)
        return loaded.network.named(answer.outputs)


def _rows(feeds: Feeds) -> int:
    return len(next(iter(feeds.values())))
