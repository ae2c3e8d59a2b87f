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

    def test_variants_are_made_downloaded_and_made_the_default(self, syllabus: Command, tmp_path: Path) -> None:
        result = syllabus("optimize", "cli-iris", "--variants", "optimized,fp16", "--max-accuracy-loss", "0.1")
        assert result.exit_code == 0, result.stderr
        assert "OF ORIGINAL" in result.stdout
        target = tmp_path / "half.onnx"
        assert syllabus("models", "download", "cli-iris", "--variant", "fp16", "-o", str(target)).exit_code == 0
        digests = {each["name"]: each["sha256"] for each in syllabus.json("models", "show", "cli-iris")["variants"]}
        assert hashlib.sha256(target.read_bytes()).hexdigest() == digests["fp16"]
        missing = syllabus("models", "download", "cli-iris", "--variant", "int8", "-o", str(target))
        assert (missing.exit_code, "variant_not_found" in missing.stderr) == (3, True)
        assert syllabus.json("models", "default-variant", "cli-iris", "fp16")["default_variant"] == "fp16"
        assert syllabus.json("models", "default-variant", "cli-iris")["default_variant"] is None

    def test_traffic_is_shared_and_taken_back(self, syllabus: Command) -> None:
        shared = syllabus.json("models", "traffic", "cli-iris", "1=2")
        assert shared["traffic"] == {"weights": {"1": 1.0}, "shadow": None}
        assert "traffic.weights.1" in syllabus("models", "traffic", "cli-iris", "1=2").stdout
        assert syllabus.json("models", "traffic", "cli-iris")["traffic"] is None
        assert syllabus("models", "traffic", "cli-iris", "9=1").exit_code == 3

    def test_a_downloaded_model_is_registered_under_another_name(self, syllabus: Command, tmp_path: Path) -> None:
        target = tmp_path / "cli-moved.onnx"
        assert syllabus("models", "download", "cli-iris", "-o", str(target)).exit_code == 0
        assert syllabus.json("models", "register", str(target))["result"]["version"] == 1
        rows = "[[5.1, 3.5, 1.4, 0.2]]"
        first, second = (syllabus.json("predict", name, "--rows", rows) for name in ("cli-iris", "cli-moved"))
        assert first["predictions"] == second["predictions"]


def test_a_file_that_is_no_model_is_1_and_says_why(syllabus: Command, tmp_path: Path) -> None:
    source = tmp_path / "net.onnx"
    source.write_bytes(b"PK\x03\x04 weights")
    result = syllabus("models", "register", str(source))
    assert result.exit_code == 1
    assert "zip archive" in result.stderr


def test_an_unknown_model_is_3(syllabus: Command) -> None:
    result = syllabus("models", "show", "nobody")
    assert result.exit_code == 3
    assert "model_not_found" in result.stderr


def test_the_result_names_model_and_version(trained: dict[str, Any]) -> None:
    assert (trained["result"]["model"], trained["result"]["version"]) == ("cli-iris", 1)
