"""Descendants that outlive their own parent, and how to see them end (Linux).

A process may be interrupted while helpers of its own, such as a fork server in the middle of its imports,
still need a moment to notice. Such an orphan goes to the nearest ancestor that declared itself a
subreaper, which can then wait for it like for any child (prctl(2), PR_SET_CHILD_SUBREAPER).
"""

import ctypes
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """From now on, let every descendant whose parent ends become a child of this process."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def outlive_children(patience_seconds: float) -> None:
    """Return when no child is left; those that overstay `patience_seconds` are killed."""
    deadline = time.monotonic() + patience_seconds
    with suppress(ChildProcessError):  # no child is left
        while True:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0 and time.monotonic() > deadline:
                _kill_children()
            if pid == 0:
                time.sleep(0.02)


def _kill_children() -> None:
    for listing in Path("/proc/self/task").glob("*/children"):
        for pid in listing.read_text().split():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
