"""The embedded stack as processes of the demo: started, waited for, and always stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import TracebackType

from client.api import Syllabus
from client.demo.processes import adopt_orphans, outlive_children
from client.errors import SyllabusError

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_SECONDS = 90.0
# supervisord gives each program up to 20 s (stack.ini) and ends whatever is left by then itself.
STOPPED_WITHIN_SECONDS = 60.0
ORPHANS_END_WITHIN_SECONDS = 20.0
# By which the demo can be asked to end: Ctrl-C, kill, and the terminal's closing.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StackFailed(SyllabusError):
    """The stack did not start, or died."""


class EmbeddedStack:
    """All processes of `stack.ini` with their state in `home`, as long as the `with` block lasts.

    They run in a session of their own, so that Ctrl-C in a terminal reaches only the demo, which then
    stops them in their order. What they print goes to `log`.
    """

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.log = home / "stack.log"
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._supervisor: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "EmbeddedStack":
        if not (ROOT / "stack.ini").is_file():
            raise StackFailed(f"there is no stack.ini in {ROOT}; run the demo from a checkout of the repository")
        if not is_free(self._port):
            raise StackFailed(f"port {self._port} is taken; set PORT to another one")
        self.home.mkdir(parents=True, exist_ok=True)
        adopt_orphans()
        try:
            self._run_init()
            # supervisord wants root to say that root is meant.
            as_root = ["-u", "root"] if os.getuid() == 0 else []
            self._supervisor = self._spawn(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", "stack.ini", *as_root]
            )
            self._wait_until_ready(self._supervisor)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def tail(self, lines: int = 30) -> str:
        """The last lines of the log."""
        try:
            with self.log.open(encoding="utf-8", errors="replace") as log:
                return "".join(deque(log, maxlen=lines))
        except FileNotFoundError:
            return ""

    def _run_init(self) -> None:
        """Create the tables and the built-in data sets."""
        process = self._spawn([sys.executable, "-m", "workers.init"])
        self._supervisor = process  # until it has ended, it is what an interruption must stop
        if process.wait() != 0:
            raise StackFailed("the database could not be prepared")

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                cwd=ROOT,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        # stack.ini starts the first `python` on the path: this one, whether its environment is active or not.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        own = {"PATH": path, "SYLLABUS_HOME": str(self.home), "SYLLABUS_PORT": str(self._port)}
        return {**os.environ, **own}

    def _wait_until_ready(self, supervisor: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        with Syllabus(self.url, timeout=5) as api:
            while not api.is_ready():
                if supervisor.poll() is not None:
                    raise StackFailed("the stack ended while it was starting")
                if time.monotonic() > deadline:
                    raise StackFailed(f"the stack was not ready after {READY_WITHIN_SECONDS:.0f} s")
                time.sleep(0.1)

    def _stop(self) -> None:
        """Stop every process; a second Ctrl-C must not leave some of them behind."""
        if self._supervisor is None:
            return
        previous = {number: signal.signal(number, signal.SIG_IGN) for number in ENDINGS}
        try:
            self._supervisor.terminate()
            self._supervisor.wait(STOPPED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        finally:
            outlive_children(ORPHANS_END_WITHIN_SECONDS)
            for number, handler in previous.items():
                signal.signal(number, handler)


def is_free(port: int) -> bool:
    """Whether the gateway could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
