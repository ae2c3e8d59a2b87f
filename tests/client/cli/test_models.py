"""`syllabus models` against the real stack."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from tests.client.cli.conftest import Command


@pytest.mark.usefixtures("trained")
class TestTrainedModel:
    """With the model `cli-iris` in the registry."""

    def test_a_model_and_its_versions_are_listed(self, syllabus: Command) -> None:
        assert "cli-iris" in [model["name"] for model in syllabus.json("models", "list")]
        assert "cli-iris" in syllabus("models", "list").stdout
        assert "logistic" in syllabus("models", "versions", "cli-iris").stdout
        assert syllabus.json("models", "versions", "cli-iris")[0]["version"] == 1

    def test_a_version_is_shown_with_its_parity(self, syllabus: Command) -> None:
        assert "parity.max_abs_difference" in syllabus("models", "show", "cli-iris").stdout
        assert syllabus.json("models", "show", "cli-iris", "1")["architecture"] == "logistic"

    def test_the_downloaded_file_is_the_registered_one(self, syllabus: Command, tmp_path: Path) -> None:
        target = tmp_path / "iris.onnx"
        assert syllabus("models", "download", "cli-iris", "-o", str(target)).exit_code == 0
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        assert digest == syllabus.json("models", "show", "cli-iris")["onnx"]["sha256"]

    def test_an_alias_names_a_version_until_it_is_removed(self, syllabus: Command) -> None:
        assert syllabus.json("models", "alias", "cli-iris", "blessed")["aliases"]["blessed"] == 1
        assert syllabus.json("models", "show", "cli-iris", "blessed")["version"] == 1
        assert syllabus("models", "unalias", "cli-iris", "blessed").exit_code == 0
        assert syllabus("models", "show", "cli-iris", "blessed").exit_code == 3


def test_an_unknown_model_is_3(syllabus: Command) -> None:
    result = syllabus("models", "show", "nobody")
    assert result.exit_code == 3
    assert "model_not_found" in result.stderr


def test_the_result_names_model_and_version(trained: dict[str, Any]) -> None:
    assert (trained["result"]["model"], trained["result"]["version"]) == ("cli-iris", 1)
