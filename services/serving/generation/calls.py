"""Calls of versions that code and generate, ready to be run, and what they come to."""

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from services.serving.answers import check_finite
from services.serving.batch import Answer, answer_of
from services.serving.calls import Call
from services.serving.model import ServedModel
from services.serving.predictions import Predictor

SEEDS = 2**32
ROWS_A_RUN = 64
"""A request of more rows is run in parts, so that no run takes memory or a processor for long."""
GIVEN_AS = {"generate": "z", "decode": "codes", "interpolate": "steps"}
"""What the rows of a call are in its request, where they are not its inputs."""


class Coded(NamedTuple):
    """The outputs of a version's graph by name, what else there is to say, whose they are, and what the steps took."""

    model: ServedModel
    call: str
    outputs: dict[str, np.ndarray]
    told: dict[str, Any]
    queue_seconds: float
    decode_seconds: float
    infer_seconds: float

    @property
    def samples(self) -> np.ndarray | None:
        """Images, uint8 (N, C, H, W), or rows of a table, float32 (N, F); None where codes or scores are answered."""
        return self.outputs.get("sample", self.outputs.get("reconstruction"))


@dataclass(slots=True, eq=False)
class CodedCall(Call):
    """A call to be answered with samples, codes or scores."""

    name: str
    told: dict[str, Any]
    """What the answer says beside the graph's outputs."""
    decode_seconds: float

    def answer(self, answer: Answer) -> Coded:
        """What it comes to. Raises `Invalid` for what is not a finite number."""
        found = self.found
        for output in answer.outputs:
            check_finite(output, GIVEN_AS.get(self.name, "inputs"))
        outputs = found.loaded.network.named(answer.outputs)
        times = answer.queue_seconds, self.decode_seconds, answer.infer_seconds
        return Coded(found.model, self.name, outputs, self.told, *times)

    async def made(self, predictor: Predictor) -> Coded:
        """What it comes to, run in parts if it has many rows.

        Raises `TooManyRequests`, `DeadlineExceeded` and `Invalid`.
        """
        if self.rows > ROWS_A_RUN:
            return await _made_in_parts(predictor, self)
        answer = await answer_of(partial(predictor.submit, self))
        return await predictor.aside(self.effort(answer), self.answer, answer)


async def _made_in_parts(predictor: Predictor, call: CodedCall) -> Coded:
    call.found.loaded.batcher(call.feeds).admit(call.rows, call.deadline)
    parts = [_part(call, start) for start in range(0, call.rows, ROWS_A_RUN)]
    tasks = [asyncio.ensure_future(answer_of(partial(predictor.submit, part))) for part in parts]
    try:
        answers = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    num_bytes = sum(answer.num_bytes for answer in answers)
    return await predictor.aside(num_bytes, lambda: call.answer(_joined(answers)))


def _part(call: CodedCall, start: int) -> CodedCall:
    feeds = {name: array[start : start + ROWS_A_RUN] for name, array in call.feeds.items()}
    return replace(call, feeds=feeds, rows=min(ROWS_A_RUN, call.rows - start))


def _joined(answers: list[Answer]) -> Answer:
    outputs = [np.concatenate(parts) for parts in zip(*(answer.outputs for answer in answers), strict=True)]
    return Answer(
        outputs,
        min(answer.queue_seconds for answer in answers),
        sum(answer.infer_seconds for answer in answers),
        sum(answer.num_bytes for answer in answers),
    )
