"""A model loaded and run on random inputs: does it answer, and is each row answered by itself?"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from models.acceptance import memory
from models.errors import JobError
from models.inference import is_shortage, load, reason
from models.random_inputs import DTYPES, Feeds, is_variable, random_feeds

SECONDS = 10.0
LOAD_SECONDS = 5.0
LOADED_BYTES_PER_SECOND = 100e6
LOAD_SPARE_BYTES = 128 * 2**20
RUN_SPARE_BYTES = 512 * 2**20
WEIGHTS_COPIES = 3
"""What loading takes of a file's size: as parsed, as weights, as packed for the processor."""
ROWS = 3
SIZES = (8, 32, 224, 1)
"""Tried for dimensions that vary, beside the first: lengths, heights and widths."""

Answers = list[NDArray[Any]]


class Tried(NamedTuple):
    """What a trial found out."""

    session: ort.InferenceSession
    size: int
    """What the variable dimensions beside the first were."""
    ranks: list[int]
    """Dimensions of each answer."""
    batchable: bool
    """Whether several rows are answered as each of them alone."""


def attempt(data: bytes, threads: int) -> Tried:
    """Load and run a model.

    Raises:
        JobError: `model_invalid`, `loads_too_slowly`, `memory_exhausted`, `unsupported_type`, `does_not_run` or
            `does_not_answer`.
    """
    with _little_memory("Loading", LOAD_SPARE_BYTES + WEIGHTS_COPIES * len(data)):
        session = _load_soon(data, threads)
    for node in (*session.get_inputs(), *session.get_outputs()):
        if node.type not in DTYPES:
            served = ", ".join(DTYPES.values())
            raise JobError("unsupported_type", f"{node.name!r} is a {node.type}; tensors of {served} are served.")
    with _little_memory("Running", RUN_SPARE_BYTES):
        size, answers = _first_answers(session)
        ranks = [answer.ndim for answer in answers]
        return Tried(session, size, ranks, _is_batchable(session, size, ranks))


def _load_soon(data: bytes, threads: int) -> ort.InferenceSession:
    """Load a model as a gateway will, which stands still meanwhile."""
    started_at = time.process_time()
    session = load(data, threads, trusted=False)
    if time.process_time() - started_at > LOAD_SECONDS + len(data) / LOADED_BYTES_PER_SECOND:
        raise JobError("loads_too_slowly", f"Loading the model takes over {LOAD_SECONDS:g} s beside its weights.")
    return session


@contextmanager
def _little_memory(doing: str, num_bytes: int) -> Iterator[None]:
    try:
        with memory.at_most(num_bytes):
            yield
    except MemoryError:
        msg = f"{doing} the model takes over {num_bytes // 2**20} MiB, which is the limit for a file of its size."
        raise JobError("memory_exhausted", msg) from None


def _first_answers(session: ort.InferenceSession) -> tuple[int, Answers]:
    failures = []
    for size in SIZES:
        feeds = random_feeds(session.get_inputs(), rows=1, size=size)
        try:
            return size, _answers(session, feeds)
        except _DoesNotRun as failure:
            failures.append(failure)
    shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in feeds.items())
    raise JobError("does_not_run", f"The model fails on random inputs ({shapes}): {failures[0]}")


def _is_batchable(session: ort.InferenceSession, size: int, ranks: Sequence[int]) -> bool:
    """Whether the first dimension is of independent rows: tried with a few, together and one by one."""
    nodes = (*session.get_inputs(), *session.get_outputs())
    declared = [node.shape for node in nodes if node.shape]
    if not ranks or min(ranks) == 0 or not all(is_variable(shape[0]) for shape in declared):
        return False
    feeds = random_feeds(session.get_inputs(), rows=ROWS, size=size)
    if not feeds or any(array.ndim == 0 for array in feeds.values()):
        return False
    try:
        together = _answers(session, feeds)
        alone = [
            _answers(session, {name: array[row : row + 1] for name, array in feeds.items()}) for row in range(ROWS)
        ]
    except _DoesNotRun:
        return False
    return all(
        len(answer) == ROWS and _agree(answer, [rows[place] for rows in alone]) for place, answer in enumerate(together)
    )


def _agree(together: NDArray[Any], alone: list[NDArray[Any]]) -> bool:
    if any(len(answer) != 1 or answer.shape[1:] != together.shape[1:] for answer in alone):
        return False
    joined = np.concatenate(alone)
    if together.dtype.kind == "f":
        return bool(np.allclose(together, joined, rtol=1e-3, atol=1e-5, equal_nan=True))
    return bool((together == joined).all())


class _DoesNotRun(Exception):
    """The model refuses these inputs, or fails on them."""


def _answers(session: ort.InferenceSession, feeds: Feeds) -> Answers:
    """Run the model, which is told to stop when its time is over.

    Raises:
        JobError: `does_not_answer`, in time.
        _DoesNotRun: it fails.
    """
    options = ort.RunOptions()
    options.log_severity_level = 4
    alarm = threading.Timer(SECONDS, setattr, (options, "terminate", True))
    alarm.start()
    try:
        answers: Answers = session.run(None, feeds, options)
    except MemoryError:
        raise
    except Exception as error:
        if options.terminate:
            detail = f"The model did not answer within {SECONDS:g} s, on random inputs of a few rows."
            raise JobError("does_not_answer", detail) from error
        if is_shortage(error):
            raise MemoryError from error
        raise _DoesNotRun(reason(error)) from error
    finally:
        alarm.cancel()
    return answers
