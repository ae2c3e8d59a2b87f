"""The `syllabus` command, pointed at the real stack."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from client.cli import app
from tests.stack import Stack


@dataclass(frozen=True)
class Command:
    """Runs `syllabus` in this process against the service at `url`."""

    url: str

    def __call__(self, *arguments: str) -> Result:
        # A terminal so wide that no message is broken, however long the path in it.
        return CliRunner(env={"COLUMNS": "500"}).invoke(app, ["--url", self.url, *arguments], catch_exceptions=False)

    def json(self, *arguments: str) -> Any:
        """The JSON that a command which must work prints; nothing else may be on stdout."""
        result = self(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture(scope="session")
def syllabus(stack: Stack) -> Command:
    """The command against the shared stack."""
    return Command(stack.url)


@pytest.fixture(scope="session")
def trained(syllabus: Command) -> dict[str, Any]:
    """The train job of the model `cli-iris`, version 1."""
    job: dict[str, Any] = syllabus.json(
        "train", "logistic", "iris", "--model", "cli-iris", "--training", "epochs=3", "--training", "seed=0"
    )
    return job


@pytest.fixture
def image_folder(tmp_path: Path) -> Path:
    """Forty small pictures, dark ones in `night` and bright ones in `noon`."""
    for label, level in (("night", 0), ("noon", 200)):
        (tmp_path / "sky" / label).mkdir(parents=True)
        for number in range(20):
            Image.new("L", (8, 8), level + number).save(tmp_path / "sky" / label / f"{number}.png")
    return tmp_path / "sky"
