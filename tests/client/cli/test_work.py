"""`syllabus train`, `evaluate`, `infer`, `explain` and `predict` against the real stack."""

import json
from pathlib import Path
from typing import Any

import pytest

from client.api import Syllabus
from tests.client.cli.conftest import Command
from tests.client.web import serving
from tests.stack import Stack


def test_training_is_followed_and_ends_with_metrics_beside_the_baseline(syllabus: Command) -> None:
    result = syllabus("train", "logistic", "iris", "--model", "cli-followed", "--training", "epochs=2")
    assert result.exit_code == 0, result.stderr
    assert "RANDOM BASELINE" in result.stdout
    assert "accuracy" in result.stdout
    assert "train running" in result.stderr
    assert "train epoch 2 of 2" in result.stderr


def test_a_field_that_is_out_of_bounds_is_named(syllabus: Command) -> None:
    result = syllabus("train", "logistic", "iris", "--training", "epochs=-1")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "training.epochs" in result.stderr


def test_an_unknown_hyperparameter_is_named(syllabus: Command) -> None:
    result = syllabus("train", "mlp", "iris", "--set", "wisdom=1")
    assert result.exit_code == 3
    assert "wisdom" in result.stderr


@pytest.mark.usefixtures("trained")
class TestTrainedModel:
    """With the model `cli-iris` in the registry."""

    def test_it_is_evaluated(self, syllabus: Command) -> None:
        job = syllabus.json("evaluate", "cli-iris", "iris")
        assert 0 <= job["result"]["metrics"]["accuracy"] <= 1

    def test_it_is_compared_and_its_worst_mistakes_are_listed(self, syllabus: Command, tmp_path: Path) -> None:
        syllabus.json("train", "logistic", "iris", "--model", "cli-other", "--training", "epochs=1")
        folder = tmp_path / "worth"
        options = ("--against", "cli-other@v1", "--hardest", "3", "--output", str(folder))
        result = syllabus("evaluate", "cli-iris", "iris", *options)
        assert result.exit_code == 0, result.stderr
        for heading in ("CALIBRATION", "HARDEST ROW", "COLUMN", "DIFFERENCE", "drift  ", "better  "):
            assert heading in result.stdout
        assert {"comparison.png", "hardest.csv", "drift.plotly.json"} <= {path.name for path in folder.iterdir()}

    def test_a_version_that_is_not_there_is_named(self, syllabus: Command) -> None:
        result = syllabus("evaluate", "cli-iris", "iris", "--against", "v9")
        assert (result.exit_code, "against.version" in result.stderr) == (3, True)

    def test_its_predictions_of_a_data_set_are_a_file(self, syllabus: Command, tmp_path: Path) -> None:
        job = syllabus.json("infer", "cli-iris", "iris")
        target = tmp_path / "predictions.jsonl"
        assert syllabus("jobs", "artifacts", job["id"], "predictions.jsonl", "-o", str(target)).exit_code == 0
        assert len([json.loads(line) for line in target.read_text().splitlines()]) == 150

    def test_rows_are_predicted_at_once(self, syllabus: Command) -> None:
        rows = "[[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]"
        answer = syllabus.json("predict", "cli-iris", "--rows", rows, "--top-k", "2")
        assert [len(prediction["top_k"]) for prediction in answer["predictions"]] == [2, 2]
        assert "%" in syllabus("predict", "cli-iris", "--rows", rows).stdout

    def test_a_variant_a_deadline_and_a_priority_are_asked_for(self, syllabus: Command) -> None:
        asked = ("predict", "cli-iris", "--rows", "[[5.1, 3.5, 1.4, 0.2]]")
        assert syllabus(*asked, "--timeout-ms", "60000", "--priority", "1").exit_code == 0
        result = syllabus(*asked, "--variant", "int8")
        assert (result.exit_code, "int8" in result.stderr) == (3, True)

    def test_rows_of_another_shape_are_refused(self, syllabus: Command) -> None:
        assert syllabus("predict", "cli-iris", "--rows", "[[1, 2]]").exit_code == 3

    def test_explanations_are_downloaded_as_pictures(self, syllabus: Command, tmp_path: Path) -> None:
        folder = tmp_path / "why"
        result = syllabus("explain", "cli-iris", "--method", "saliency", "--row", "3", "--output", str(folder))
        assert result.exit_code == 0, result.stderr
        assert "saliency.test-3.png" in result.stdout
        assert {path.name for path in folder.iterdir()} == {"saliency.test-3.png", "saliency.csv", "report.json"}
        assert (folder / "saliency.test-3.png").read_bytes().startswith(b"\x89PNG")

    def test_a_method_for_images_is_refused_for_a_table(self, syllabus: Command) -> None:
        result = syllabus("explain", "cli-iris", "--method", "grad_cam")
        assert (result.exit_code, "methods" in result.stderr) == (3, True)


def test_a_translation_is_bounded_and_said_to_be_read_in_part() -> None:
    body = json.dumps(
        {"predictions": [{"text": "ok", "score": -1.0, "truncated": True}, {"text": "so", "score": -1.0}]}
    )
    with serving(lambda handler, request: handler.send(200, body.encode())) as web:
        result = Command(web.url)("predict", "m", "--rows", '["a", "b"]', "--max-length", "9")
        assert web.requests[0].path == "/v1/models/m/predict?version=latest&max_length=9"
    assert (result.exit_code, "read only so far: 1" in result.stderr) == (0, True)


def test_images_are_predicted_one_by_one_and_together(syllabus: Command, stack: Stack, image_folder: Path) -> None:
    settings = ("--training", "epochs=5", "--training", 'optimizer={"name": "adam", "learning_rate": 0.01}')
    syllabus.json("datasets", "upload", str(image_folder), "--name", "sky-predict")
    syllabus.json("train", "lenet", "sky-predict", "--model", "cli-sky", *settings)
    night, noon = image_folder / "night" / "3.png", image_folder / "noon" / "3.png"
    together = syllabus.json("predict", "cli-sky", str(night), str(noon))["predictions"]
    with Syllabus(stack.url) as api:
        alone = [api.predict("cli-sky", image)["predictions"][0] for image in (night, noon.read_bytes())]
    labels: list[Any] = [prediction["label"] for prediction in together]
    assert labels == [prediction["label"] for prediction in alone]
    assert labels == ["night", "noon"]
