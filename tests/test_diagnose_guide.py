"""The lines of docs/diagnose.md, through the whole stack."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.stack import Stack
from tests.test_readme import ROOT, snippets

GUIDE = (ROOT / "docs" / "diagnose.md").read_text()


@pytest.mark.slow
def test_the_guides_lines_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    script = "\n".join(["set -eu", *snippets("sh diagnose", GUIDE)])
    environment = {**os.environ, "API": stack.url}
    command = ["/bin/sh", "-c", script]
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=160, check=False
    )
    assert answer.returncode == 0, answer.stderr
    ends = [line.split()[:2] for line in answer.stdout.splitlines()]
    assert ends == [[kind, "succeeded"] for kind in ("baseline", "train", "diagnose", "diagnose")], answer.stdout
