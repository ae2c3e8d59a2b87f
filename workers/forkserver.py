"""Starts children from a process that has imported what they need, so that one starts in milliseconds.

CUDA and thread pools begin in the child, after the fork: the server imports, but computes nothing.
"""

import multiprocessing
from collections.abc import Iterable
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess

from models.run import Assignment
from workers.child import Confinement, main

PRELOAD_BY_QUEUE = {"gpu": "models.preload", "cpu": "models.preload", "io": "models.jobs.ingest"}

context = multiprocessing.get_context("forkserver")


def warm(queues: Iterable[str]) -> None:
    """Start the server with what jobs of these queues import, and wait until it is ready."""
    modules = sorted({PRELOAD_BY_QUEUE[queue] for queue in queues})
    context.set_forkserver_preload(["workers.preload", "workers.child", *modules])
    child = context.Process(target=int)
    child.start()
    child.join()


def start(assignment: Assignment, confinement: Confinement) -> tuple[ForkServerProcess, Connection]:
    """Start a child on an assignment; the connection is the supervisor's end of its pipe."""
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs, assignment, confinement), daemon=True)
    process.start()
    theirs.close()
    return process, ours
