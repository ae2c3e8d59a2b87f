"""The lines that the README and the guides show, taken out of them and run."""

import os
import re
import subprocess
from pathlib import Path

from tests.stack import Stack

ROOT = Path(__file__).parent.parent


def snippets(kind: str, text: str) -> list[str]:
    """The fenced blocks whose info string is `kind`."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_lines(kind: str, text: str, stack: Stack, directory: Path, *more: str, timeout: float = 100) -> str:
    """Run all blocks of a kind as one shell script, and `more` lines behind; what they print."""
    script = "\n".join(["set -eu", *snippets(kind, text), *more])
    answer = run(["/bin/sh", "-c", script], directory, {**os.environ, "API": stack.url}, timeout)
    assert answer.returncode == 0, answer.stdout[-2000:] + answer.stderr[-2000:]
    return answer.stdout


def run(
    command: list[str], directory: Path, environment: dict[str, str] | None = None, timeout: float = 100
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and keep what it printed."""
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )
