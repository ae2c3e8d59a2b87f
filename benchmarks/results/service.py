"""The service that every run is a job of, started for it; its state is thrown away."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.results.runs import Json
from client.api import Syllabus
from client.demo.stack import EmbeddedStack, free_port


@contextmanager
def service() -> Iterator[tuple[Syllabus, Path]]:
    """A client of an embedded stack, and a directory that is removed with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the stack is stopped as well
    with (
        tempfile.TemporaryDirectory() as directory,
        EmbeddedStack(Path(directory), free_port()) as stack,
        Syllabus(stack.url) as api,
    ):
        yield api, Path(directory)


def ended(api: Syllabus, job: Json) -> Json:
    """A job when it has succeeded. Exits with the error of one that has not."""
    found = api.jobs.wait(job["id"])
    if found["state"] != "succeeded":
        raise SystemExit(f"{found['request']}: {found['error']}")
    return found
