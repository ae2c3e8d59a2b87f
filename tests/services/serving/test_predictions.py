"""Predictions without a transport. What a wrong input is told: tests/api/routes/test_predictions.py."""

from pathlib import Path

import pytest

from services.artifacts import ArtifactStore
from services.errors import TooLarge, UnsupportedMediaType
from services.serving.inputs import MAX_BATCH, decode_json_images
from services.serving.predictions import Predictor, ServedModel
from tests.serving_models import image_classifier, image_signature, tabular_regressor, tabular_signature


def served(tmp_path: Path, onnx: bytes, signature: dict[str, object]) -> ServedModel:
    file = tmp_path / "model.onnx"
    file.write_bytes(onnx)
    store = ArtifactStore(tmp_path / "artifacts")
    stored = store.put(file)
    return ServedModel("m", 1, stored.sha256, store.path(stored.sha256), signature)


def test_classes_are_ranked_by_probability(tmp_path: Path) -> None:
    model = served(tmp_path, image_classifier(), image_signature())
    dark, bright = [[[[0, 0], [0, 0]]], [[[255] * 2] * 2]]
    predictions = Predictor(max_pixels=100).predict_values(model, [dark, bright], top_k=9)
    assert [item["label"] for item in predictions.items] == ["dark", "bright"]
    ranking = predictions.items[0]["top_k"]
    assert [entry["label"] for entry in ranking] == ["dark", "middle", "bright"]
    assert sum(entry["probability"] for entry in ranking) == pytest.approx(1)


def test_equal_probabilities_come_in_the_order_of_the_classes(tmp_path: Path) -> None:
    model = served(tmp_path, image_classifier(), image_signature())
    (item,) = Predictor(max_pixels=100).predict_values(model, [[[[64, 64], [64, 64]]]], top_k=2).items
    assert [entry["label"] for entry in item["top_k"]] == ["dark", "middle"]


def test_values_come_in_the_targets_unit(tmp_path: Path) -> None:
    model = served(tmp_path, tabular_regressor(), tabular_signature())
    predictions = Predictor(max_pixels=1).predict_values(model, [[1.5, "berlin"]] * 3, top_k=1)
    assert predictions.items == [{"value": 13.0}] * 3


def test_a_model_of_rows_takes_no_files(tmp_path: Path) -> None:
    model = served(tmp_path, tabular_regressor(), tabular_signature())
    with pytest.raises(UnsupportedMediaType):
        Predictor(max_pixels=1).predict_files(model, [b"x"], top_k=1)


def test_a_batch_is_bounded() -> None:
    pixels = [[0]]
    assert decode_json_images([pixels] * MAX_BATCH, (1, 1, 1), 1).shape == (MAX_BATCH, 1, 1, 1)
    with pytest.raises(TooLarge):
        decode_json_images([pixels] * (MAX_BATCH + 1), (1, 1, 1), 1)
