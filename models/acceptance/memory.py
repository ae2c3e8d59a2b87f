"""A bound on the memory that a block of code may take."""

import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def at_most(num_bytes: int) -> Iterator[None]:
    """Bound the private memory of this process to what it has now and `num_bytes` more (setrlimit(2), RLIMIT_DATA).

    An allocation beyond fails, as MemoryError or as whatever the library makes of it. Only Linux says what a
    process has; elsewhere there is no bound.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bound = _private_bytes() + num_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (bound if soft == resource.RLIM_INFINITY else min(bound, soft), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _private_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmData:"))
    return int(line.split()[1]) * 1024
