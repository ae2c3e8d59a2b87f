"""The embedded stack under supervisord: what died is started again, and Ctrl-C leaves nothing running."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import httpx
import psutil
import pytest

from tests.stack import COMMANDS, free_port, wait_until

ROOT = Path(__file__).parent.parent


@pytest.fixture
def url() -> str:
    """Where the gateway will listen."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def supervisor(tmp_path: Path, url: str) -> Iterator[psutil.Popen]:
    """supervisord as `make run` starts it, in a process group of its own like a terminal's foreground."""
    bin_directory = Path(sys.executable).parent
    environment = {
        **os.environ,
        "PATH": f"{bin_directory}:{os.environ['PATH']}",
        "SYLLABUS_HOME": str(tmp_path),
        "SYLLABUS_PORT": url.rpartition(":")[2],
    }
    subprocess.run([sys.executable, "-m", "workers.init"], cwd=ROOT, env=environment, check=True)
    command = [str(bin_directory / "supervisord"), "-n", "-c", "stack.ini"]
    with (tmp_path / "stack.log").open("ab") as log:
        process = psutil.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    yield process
    # supervisord first, or it starts again what is killed.
    left = [process, *process.children(recursive=True)] if process.is_running() else []
    for each in left:
        each.kill()
    process.wait()


def is_ready(url: str) -> bool:
    """Whether the gateway says that it is ready."""
    try:
        return httpx.get(f"{url}/health/ready").status_code == 200
    except httpx.TransportError:
        return False


def test_the_stack_runs_the_processes_that_the_tests_run() -> None:
    stack = ConfigParser(interpolation=None)
    stack.read(ROOT / "stack.ini")
    programs = {name.partition(":")[2]: stack[name] for name in stack.sections() if name.startswith("program:")}
    assert {name: program["command"] for name, program in programs.items()} == {
        name: " ".join(["python", "-m", *arguments]) for name, arguments in COMMANDS.items()
    }
    assert all(program.getboolean("autorestart") for program in programs.values())


@pytest.mark.slow
def test_what_is_killed_is_started_again(supervisor: psutil.Popen, url: str) -> None:
    wait_until(lambda: is_ready(url), "readiness")
    killed = supervisor.children()
    assert len(killed) == len(COMMANDS)
    for process in killed:
        process.kill()
    wait_until(lambda: len(set(supervisor.children()) - set(killed)) == len(COMMANDS), "every restart")
    wait_until(lambda: is_ready(url), "readiness after the kills")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process_behind(supervisor: psutil.Popen, url: str, number: signal.Signals) -> None:
    wait_until(lambda: is_ready(url), "readiness")
    family = supervisor.children(recursive=True)
    os.killpg(supervisor.pid, number)
    assert supervisor.wait(40) == 0
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
