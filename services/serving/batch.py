"""One batch: the requests in it, and what running them together came to."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import onnxruntime
import structlog

from services.errors import DeadlineExceeded, Invalid, SyllabusError
from services.serving.network import Feeds, Network, Outputs

log = structlog.get_logger(__name__)


class Answer(NamedTuple):
    """A network's outputs for one request, and what waiting and running took."""

    outputs: Outputs
    queue_seconds: float
    infer_seconds: float
    num_bytes: int
    """Of the outputs; texts are counted by their references."""


Result = Answer | SyllabusError
Done = Callable[[Result], None]


@dataclass(slots=True, eq=False)
class Ticket:
    """One request that waits. Over once it is answered, expired, or abandoned by `leave`; on the event loop."""

    feeds: Feeds
    rows: int
    num_bytes: int
    deadline: float
    """By the monotonic clock."""
    submitted_at: float
    done: Done
    """Called with what the request comes to, unless it is abandoned."""
    drop: "Callable[[Ticket], None]"
    """Frees the inputs, if they are not part of a batch."""
    is_over: bool = False
    is_taken: bool = False
    """Whether a batch was made of it, or its turn has come and gone."""
    alarm: asyncio.TimerHandle | None = None
    batch: "Sequence[Ticket]" = ()
    options: onnxruntime.RunOptions | None = None
    """Those of the run that the ticket is part of, on a thread."""

    def watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give a ticket that may have to wait an alarm of its own."""
        self.alarm = loop.call_later(max(0.0, self.deadline - time.monotonic()), self.expire)

    def finish(self, result: Result) -> None:
        """Answer the request, unless it is over."""
        if not self.is_over:
            self.leave()
            try:
                self.done(result)
            except Exception:  # a fault of ours must not keep the rest of the batch from its answers
                log.exception("answer_not_taken")

    def expire(self) -> None:
        """Answer that the deadline has passed."""
        self.finish(too_late())

    def leave(self) -> None:
        """Nobody waits for an answer any more; a run that is for nobody else is ended."""
        self.is_over = True
        if not self.is_taken:
            self.drop(self)
        if self.alarm is not None:
            self.alarm.cancel()
        if self.options is not None and all(ticket.is_over for ticket in self.batch):
            self.options.terminate = True


async def answer_of(submit: Callable[[Done], Ticket]) -> Answer:
    """Submit a request and wait for its answer. Raises what `submit` raises, and the error that it comes to."""
    answered: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def settle(result: Result) -> None:
        if not answered.done():  # it is cancelled a turn before the ticket is left
            answered.set_result(result)

    ticket = submit(settle)
    try:
        result = await answered
    except asyncio.CancelledError:
        ticket.leave()
        raise
    if isinstance(result, SyllabusError):
        raise result
    return result


def too_late() -> DeadlineExceeded:
    """The error of a request whose deadline has passed."""
    return DeadlineExceeded("deadline_exceeded", "The deadline passed before the model had answered; allow more time.")


class Run(NamedTuple):
    """What came of one batch: an answer or an error a ticket, and the time of its three parts."""

    results: list[Result]
    started_at: float
    assemble_seconds: float = 0.0
    run_seconds: float = 0.0
    split_seconds: float = 0.0
    is_clean: bool = False
    """Whether it went through as one batch."""


def run(network: Network, tickets: Sequence[Ticket], options: onnxruntime.RunOptions | None) -> Run:
    """Run tickets as one batch; if that fails one by one, so that one bad input fails no other."""
    started_at = time.monotonic()
    try:
        feeds = _joined(network, [ticket.feeds for ticket in tickets])
        assembled_at = time.monotonic()
        outputs = network.run(feeds, options)
        ended_at = time.monotonic()
        parts = _split(outputs, [ticket.rows for ticket in tickets])
    except Exception as error:  # ONNX Runtime's own classes have no common base but this
        if len(tickets) > 1 and not (options is not None and options.terminate):
            alone = [run(network, [ticket], options) for ticket in tickets]
            return Run([each.results[0] for each in alone], started_at)
        failure = too_late() if options is not None and options.terminate else _explained(error)
        return Run([failure] * len(tickets), started_at)
    seconds = ended_at - assembled_at
    num_bytes = sum([output.nbytes for output in outputs])
    row_bytes = num_bytes // sum([ticket.rows for ticket in tickets])
    results: list[Result] = [
        Answer(part, started_at - ticket.submitted_at, seconds, row_bytes * ticket.rows)
        for ticket, part in zip(tickets, parts, strict=True)
    ]
    return Run(results, started_at, assembled_at - started_at, seconds, time.monotonic() - ended_at, is_clean=True)


def _joined(network: Network, feeds: Sequence[Feeds]) -> Mapping[str, np.ndarray]:
    if len(feeds) == 1:
        return feeds[0]
    return {name: np.concatenate([each[name] for each in feeds]) for name in network.input_names}


def _split(outputs: Outputs, rows: Sequence[int]) -> list[Outputs]:
    if len(rows) == 1:
        return [outputs]
    total = sum(rows)
    if any(not output.ndim or len(output) != total for output in outputs):
        raise ValueError("an output of the batch has not as many rows as the batch")
    parts: list[Outputs] = []
    start = 0
    for count in rows:
        parts.append([output[start : start + count] for output in outputs])
        start += count
    return parts


def _explained(error: Exception) -> SyllabusError:
    """What a caller may know of a run that failed: ONNX Runtime's own text names files and lines of its source."""
    if isinstance(error, MemoryError) or "memory" in str(error).lower() or "bad_alloc" in str(error):
        return Invalid("inference_out_of_memory", "The model needs more memory for this input than it may use.")
    return Invalid("inference_failed", "The model cannot be run on this input; check its values and shapes.")
