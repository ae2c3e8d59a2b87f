"""The lines of docs/search.md, through the whole stack."""

import os
import subprocess
from pathlib import Path

import plotly.io
import pytest

from tests.stack import Stack
from tests.test_readme import ROOT, snippets

GUIDE = (ROOT / "docs" / "search.md").read_text()


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_the_guides_lines_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    script = "\n".join(["set -eu", *snippets("sh search", GUIDE), 'echo "$id"'])
    environment = {**os.environ, "API": stack.url}
    command = ["/bin/sh", "-c", script]
    answer = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert answer.returncode == 0, answer.stderr
    *lines, last = answer.stdout.splitlines()
    ends = [line.split()[:2] for line in lines if line.startswith("search ")]
    assert ends == [["search", "succeeded"]] * 5, answer.stdout
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    figure = plotly.io.from_json(stack.http.get(f"/v1/jobs/{last}/artifacts/contour.plotly.json").text)
    assert figure.data
