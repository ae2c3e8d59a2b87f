"""The demo's stack leaves nothing behind, whatever happens."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from client.demo.stack import EmbeddedStack, StackFailed, free_port, is_free


def processes_of(home: Path) -> list[psutil.Process]:
    """Every process whose environment names this home."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("SYLLABUS_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_taken_port_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StackFailed, match="set PORT"), EmbeddedStack(tmp_path / "home", port):
            pass
    assert not (tmp_path / "home").exists()


def test_an_interrupted_demo_stops_what_it_started(tmp_path: Path) -> None:
    environment = {**os.environ, "SYLLABUS_HOME": str(tmp_path), "PORT": str(free_port())}
    command = [sys.executable, "-m", "client.demo"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        while "Upload" not in (line := demo.stdout.readline()):
            assert line, "the demo ended early"
        demo.send_signal(signal.SIGTERM)
        said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "Interrupted" in said
    assert processes_of(tmp_path) == []


def test_a_demo_that_fails_shows_the_end_of_the_log(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "SYLLABUS_HOME": str(tmp_path),
        "PORT": str(free_port()),
        "SYLLABUS_DATABASE_URL": "sqlite:////dev/null/syllabus.db",
    }
    demo = subprocess.run([sys.executable, "-m", "client.demo"], env=environment, capture_output=True, text=True)
    assert demo.returncode == 1
    assert "The last lines of" in demo.stdout
    assert "The demo failed: the database could not be prepared" in demo.stdout
    assert processes_of(tmp_path) == []
