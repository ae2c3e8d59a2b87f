"""The lines of the guides in docs/, through the whole stack."""

import re
from pathlib import Path

import plotly.io
import pytest

from tests.snippets import ROOT, run_lines
from tests.stack import Stack


def guide(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def ends(printed: str) -> list[str]:
    """The jobs that succeeded, by the lines that say so."""
    return re.findall(r"^(\w+) succeeded", printed, re.MULTILINE)


def test_the_experiments_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh experiments", guide("experiments"), stack, tmp_path)
    kinds = ["train", "cross_validate", "validation_curve", "learning_curve", "bias_variance", "train", "explain"]
    assert [line.split()[:2] for line in printed.splitlines()] == [[kind, "succeeded"] for kind in kinds]


def test_the_evaluation_works_as_it_stands(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh evaluation", guide("evaluation"), stack, tmp_path)
    *trained, evaluated = printed.splitlines()
    assert [line.split()[:2] for line in trained] == [["train", "succeeded"]] * 2
    assert "accuracy is" in evaluated
    assert (tmp_path / "hardest.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_applications_of_generative_models_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh generative", guide("generative"), stack, tmp_path)
    assert re.findall(r"(scan|inverted)\.png .* (yes|no) *$", printed, re.M)[1] == ("inverted", "yes")
    pictures = {path.name for path in tmp_path.iterdir()}
    assert {"clean.png", "whole.png", "again.png", "way.png", "drawn.png", "threes.zip"} <= pictures


@pytest.mark.slow
def test_the_diagnosis_works_as_it_stands(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh diagnose", guide("diagnose"), stack, tmp_path, timeout=160)
    kinds = ["baseline", "train", "diagnose", "diagnose"]
    assert [line.split()[:2] for line in printed.splitlines()] == [[kind, "succeeded"] for kind in kinds]


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_the_searches_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh search", guide("search"), stack, tmp_path, 'echo "$id"', timeout=600)
    assert ends(printed) == ["search"] * 5
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    last = printed.splitlines()[-1]
    figure = plotly.io.from_json(stack.http.get(f"/v1/jobs/{last}/artifacts/contour.plotly.json").text)
    assert figure.data


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_the_sequences_work_as_they_stand(stack: Stack, tmp_path: Path) -> None:
    printed = run_lines("sh sequences", guide("sequences"), stack, tmp_path, timeout=600)
    assert ends(printed) == ["ingest", *["train"] * 3, "ingest", *["train"] * 3]
    assert "event: done" in printed
