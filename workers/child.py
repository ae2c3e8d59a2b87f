"""The child process of one job: runs `models.run` and reports to its supervisor.

It leads a process group of its own, so that it can be ended with everything it started, and it ends when
its supervisor does.
"""

import errno
import functools
import os
import resource
import signal
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from models.errors import JobError
from models.run import Assignment, JobContext, ProducedFile, Stopped, Wish, run
from services import pictures
from services.artifacts import ArtifactStore
from services.images import decode, fit
from workers.parents import die_with_parent
from workers.wire import encode, receive


@dataclass(frozen=True)
class Provision:
    """What the child gets besides its assignment."""

    artifacts: Path
    """The artifact store, where it puts the files it produced."""
    device: str | None = None
    """The GPU it may see, as CUDA numbers it; None: none."""
    trusted: bool = True
    """Whether all that it reads was made by this service. If not, a crash is the doing of what it reads."""
    max_memory_bytes: int | None = None
    max_seconds: float | None = None
    """After this time its supervisor ends it."""


class PipeReporter:
    """A `models.run.Reporter` over the pipe to the supervisor.

    A thread of its own sends, so that a supervisor that waits for its database never holds up the job.
    """

    def __init__(self, connection: Connection, artifacts: ArtifactStore) -> None:
        self._connection = connection
        self._artifacts = artifacts
        self._wish: Wish | None = None
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()
        threading.Thread(target=self._listen, daemon=True).start()

    def progress(
        self, fraction: float, *, epoch: int | None = None, step: int | None = None, eta_seconds: float | None = None
    ) -> None:
        """Report how far the job is."""
        data = {"fraction": fraction, "epoch": epoch, "step": step, "eta_seconds": eta_seconds}
        self._outbox.put(encode({"type": "progress", "data": data}))

    def metric(self, series: str, step: int, value: float) -> None:
        """Report one point of a series."""
        self._outbox.put(encode({"type": "metric", "data": {"series": series, "step": step, "value": value}}))

    def log(self, message: str, *, level: str = "info") -> None:
        """Report one line of the job's log."""
        self._outbox.put(encode({"type": "log", "data": {"level": level, "message": message}}))

    def artifact(self, file: ProducedFile) -> None:
        """Store a file and report it."""
        stored = self._artifacts.put(file.path)
        self._outbox.put(encode({"type": "artifact", "data": {**asdict(file), **asdict(stored)}}))

    def suggested(self, parameters: dict[str, Any], attributes: dict[str, Any]) -> None:
        """Report what a trial is given."""
        self._outbox.put(encode({"type": "suggested", "data": {"parameters": parameters, "attributes": attributes}}))

    def wish(self) -> Wish | None:
        """What the supervisor asked for last."""
        return self._wish

    def end(self, last_word: bytes) -> None:
        """Send the last word, after all that was reported before it."""
        self._outbox.put(last_word)
        self._outbox.put(None)
        self._sender.join()

    def _send(self) -> None:
        while (message := self._outbox.get()) is not None:
            self._connection.send_bytes(message)

    def _listen(self) -> None:
        try:
            while True:
                self._wish = receive(self._connection)["wish"]
        except (EOFError, OSError):
            os._exit(1)  # the supervisor is gone, and with it the lease


def main(connection: Connection, assignment: Assignment, provision: Provision) -> None:
    """Run one job and send what it came to as the last message."""
    _become_independent()
    if provision.max_memory_bytes is not None:
        _limit_memory(provision.max_memory_bytes)
    os.environ["CUDA_VISIBLE_DEVICES"] = provision.device or ""
    tempfile.tempdir = str(assignment.scratch)  # which is removed, however this process ends
    artifacts = ArtifactStore(provision.artifacts)
    report = PipeReporter(connection, artifacts)
    report.end(_result(report, assignment, artifacts))


def _become_independent() -> None:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()


def _limit_memory(max_bytes: int) -> None:
    """Bound this process's private memory; arrays mapped from files do not count (setrlimit(2), RLIMIT_DATA)."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, hard))


def _result(report: PipeReporter, assignment: Assignment, artifacts: ArtifactStore) -> bytes:
    try:
        outcome = run(_context(report, assignment))
        stored = [{**asdict(file), **asdict(artifacts.put(file.path))} for file in outcome.files]
        return encode({"type": "outcome", "data": {**asdict(outcome), "files": stored}})
    except Stopped:
        return encode({"type": "stopped"})
    except JobError as error:
        return _failed(error.code, error.detail)
    except MemoryError:
        return _failed("out_of_memory", "The job needed more memory than it may use; make the data or batch smaller.")
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _failed("storage_full", "No room is left on the disk; free some and submit the job again.")
        return _internal_error()
    except Exception:  # whatever else it is must end this job only, and be told
        return _internal_error()


def _context(report: PipeReporter, assignment: Assignment) -> JobContext:
    max_pixels = assignment.limits.get("max_pixels")
    decode_image = decode if max_pixels is None else functools.partial(decode, max_pixels=max_pixels)
    return JobContext(
        **vars(assignment), report=report, decode_image=decode_image, fit_image=fit, encode_png=pictures.to_png
    )


def _failed(code: str, detail: str) -> bytes:
    return encode({"type": "failed", "data": {"code": code, "detail": detail}})


def _internal_error() -> bytes:
    traceback.print_exc()
    return _failed("internal_error", "The job failed inside; the worker's log holds the cause under the job's id.")
