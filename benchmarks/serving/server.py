"""A server process for the time of a measurement, and the end of everything that it started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

STOP_SECONDS = 15
LOG_BYTES_SHOWN = 2000


class ServerFailed(Exception):
    """A server, `name`, did not come up; the message ends with what it printed last."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"{name} {message}")
        self.name = name


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    directory: Path,
    is_ready: Callable[[], bool],
    seconds: float = 120,
) -> Iterator[psutil.Process]:
    """Run `command` in `directory` until the block ends; enter it once `is_ready`.

    Raises:
        ServerFailed: the process ended, or was not ready within `seconds`.
    """
    log = directory / "server.log"
    with log.open("wb") as output:
        # A session of its own, so that the whole process group can be ended.
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + seconds
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                how = "did not answer in time" if process.returncode is None else f"ended with {process.returncode}"
                printed = log.read_bytes()[-LOG_BYTES_SHOWN:].decode(errors="replace")
                raise ServerFailed(name, f"{how}:\n{printed}")
            time.sleep(0.05)
        yield psutil.Process(process.pid)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the process, its descendants and its group, whoever has adopted them in the meantime."""
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    _, left = psutil.wait_procs(family, timeout=1)
    # psutil compares start times, so a number that went to another process is left alone.
    for each in left:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(left, timeout=STOP_SECONDS)
