"""Starts children from a process that has imported what they need, so that one starts in milliseconds.

CUDA and thread pools begin in the child, after the fork: the server imports, but computes nothing.
"""

import multiprocessing
import signal
import threading
from collections.abc import Iterable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess

from models.run import Assignment
from workers.child import Provision, main

PRELOAD_BY_QUEUE = {
    "gpu": ("models.preload",),
    "cpu": ("models.preload",),
    "io": ("models.jobs.ingest", "models.jobs.register"),
}
# What a fault in the code that reads a file ends in. SIGKILL is not among them: it comes from outside.
CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)

context = multiprocessing.get_context("forkserver")
# Starting a process reaps others, and an exit code can be read only once.
_reaping = threading.Lock()


def warm(queues: Iterable[str]) -> None:
    """Start the server with what jobs of these queues import, and wait until it is ready."""
    modules = sorted({module for queue in queues for module in PRELOAD_BY_QUEUE[queue]})
    context.set_forkserver_preload(["workers.preload", "workers.child", *modules, "workers.preloaded"])
    child = context.Process(target=int)
    child.start()
    child.join()


def start(assignment: Assignment, provision: Provision) -> tuple[ForkServerProcess, Connection]:
    """Start a child on an assignment; the connection is the supervisor's end of its pipe."""
    ours, theirs = context.Pipe()
    process = context.Process(target=main, args=(theirs, assignment, provision), daemon=True)
    with _reaping:
        process.start()
    theirs.close()
    return process, ours


def reap(process: ForkServerProcess) -> str:
    """Wait until a child is gone; says how it went."""
    wait([process.sentinel])
    with _reaping:
        process.join()
    code = process.exitcode or 0
    if code >= 0:
        return f"exited with {code}"
    return f"was ended by {signal.strsignal(-code)} ({_name(-code)})"


def has_crashed(process: ForkServerProcess) -> bool:
    """Whether a child that was reaped had ended by a fault of its own."""
    return -(process.exitcode or 0) in CRASHES


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
