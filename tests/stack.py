"""The embedded stack as real processes that a test can kill and start again."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
import psutil
from redis import Redis

from services.settings import Settings

COMMANDS = {
    "broker": ["workers.broker"],
    "api": ["api"],
    "worker": ["workers", "--queues", "gpu,cpu"],
    "ingester": ["workers", "--queues", "io"],
    "sweeper": ["workers.sweeper"],
}
TERMINAL = ("succeeded", "failed", "cancelled")


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Poll until `condition` holds; fail saying `what` did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds:g} s")
        time.sleep(0.02)


def answers(settings: Settings) -> bool:
    """Whether the embedded broker answers a PING."""
    try:
        with Redis(unix_socket_path=str(settings.socket)) as client:
            return bool(client.ping())
    except OSError:
        return False
    except Exception as error:
        return isinstance(error, TimeoutError)


@contextmanager
def broker_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A running broker under these settings."""
    environment = {**os.environ, "SYLLABUS_HOME": str(settings.root)}
    process = subprocess.Popen([sys.executable, "-m", "workers.broker"], env=environment)
    try:
        wait_until(lambda: answers(settings), "the broker's first answer")
        yield process
    finally:
        process.kill()
        process.wait()


class Stack:
    """Broker, gateway, worker, ingester and sweeper over one home directory."""

    def __init__(self, home: Path, *, without: tuple[str, ...] = (), **settings: object) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "SYLLABUS_HOME": str(home),
            "SYLLABUS_PORT": str(self.port),
            **{f"SYLLABUS_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self.settings = Settings(home=home, port=self.port, **settings)  # type: ignore[arg-type]
        self.names = [name for name in COMMANDS if name not in without]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.http = httpx.Client(base_url=self.url, timeout=30)

    def __enter__(self) -> Self:
        subprocess.run([sys.executable, "-m", "workers.init"], env=self.environment, check=True)
        try:
            for name in self.names:
                self.start(name)
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        for name in reversed(self.processes):
            self.processes[name].terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, command: Sequence[str] | None = None) -> None:
        """Start one of the processes, or another by its command; its output goes to `<home>/<name>.log`."""
        with (self.settings.root / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *(command or COMMANDS[name])], env=self.environment, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """SIGKILL one of the processes."""
        self.processes[name].kill()
        self.processes[name].wait()

    def restart(self, name: str) -> None:
        """SIGKILL one of the processes and start it again."""
        self.kill(name)
        self.start(name)

    def stop(self, name: str) -> int:
        """Ask one of the processes to stop; answers its exit code."""
        self.processes[name].terminate()
        return self.processes[name].wait(30)

    def wait_until_ready(self) -> None:
        """Wait until the gateway is ready and, if there is one, the worker has announced itself."""
        wait_until(self._is_ready, "readiness of the gateway")
        workers = sum(name in ("worker", "ingester") for name in self.names)
        wait_until(lambda: len(self.get("/v1/system")["workers"]) >= workers, "the workers' announcement")

    def _is_ready(self) -> bool:
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def get(self, path: str, **params: Any) -> Any:
        """GET a JSON answer, which must be a success."""
        answer = self.http.get(path, params=params)
        assert answer.is_success, answer.text
        return answer.json()

    def submit(self, body: dict[str, Any], **headers: str) -> dict[str, Any]:
        """Submit a job, which must be accepted."""
        answer = self.http.post("/v1/jobs", json=body, headers=headers)
        assert answer.status_code == 202, answer.text
        job: dict[str, Any] = answer.json()
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """One job."""
        job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}")
        return job

    def wait_for(self, job_id: str, *states: str, seconds: float = 120) -> dict[str, Any]:
        """Wait until a job is in one of `states` (default: at its end)."""
        wanted = states or TERMINAL
        wait_until(lambda: self.job(job_id)["state"] in wanted, f"job {job_id} reaching {wanted}", seconds)
        return self.job(job_id)

    def children(self, name: str = "worker") -> list[psutil.Process]:
        """The job processes of a worker: the children of its fork server."""
        servers = [
            process
            for process in psutil.Process(self.processes[name].pid).children()
            if "forkserver" in " ".join(process.cmdline())
        ]
        return [child for server in servers for child in server.children()]

    def signal_children(self, number: signal.Signals, name: str = "worker") -> int:
        """Send a signal to every job process of a worker; answers how many there were."""
        children = self.children(name)
        for child in children:
            child.send_signal(number)
        return len(children)
