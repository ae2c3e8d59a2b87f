"""The lines of docs/sequences.md, through the whole stack."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.test_readme import ROOT, snippets

GUIDE = (ROOT / "docs" / "sequences.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_the_guides_lines_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    script = "\n".join(["set -eu", *snippets("sh sequences", GUIDE)])
    environment = {**os.environ, "API": stack.url}
    command = ["/bin/sh", "-c", script]
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    ends = [tuple(line.split()[:2]) for line in answer.stdout.splitlines() if line.startswith(("ingest ", "train "))]
    trained = [("train", "succeeded")]
    assert ends == [("ingest", "succeeded"), *trained * 3, ("ingest", "succeeded"), *trained * 3], answer.stdout
    assert "event: done" in answer.stdout
