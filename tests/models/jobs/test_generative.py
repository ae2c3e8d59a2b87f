"""The jobs of networks that reconstruct and of those that samples can be drawn from."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_wine

from models.errors import JobError
from models.inference import Session
from models.run import Outcome, Stopped, run
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set

SHORT: dict[str, Any] = {"epochs": 8, "batch_size": 64, "optimizer": {"name": "adam", "learning_rate": 0.005}}


def train(directory: Path, dataset: Path, architecture: str, training: dict[str, Any] = SHORT, **given: Any) -> Outcome:
    request = {"architecture": architecture, "training": training, "hyperparameters": given}
    return run(context_of(directory, "train", request, dataset=dataset))


def graph(outcome: Outcome, name: str) -> Session:
    return Session(file(outcome, f"{name}.onnx"), 1)


def with_model(directory: Path, kind: str, trained: Outcome, dataset: Path, **request: Any) -> Outcome:
    model = file(trained, "model.onnx")
    return run(context_of(directory, kind, request, dataset=dataset, model=model, version=trained.version))


@pytest.fixture(scope="module")
def autoencoder(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    training = {**SHORT, "early_stopping": {"metric": "val_loss", "patience": 3}}
    return train(tmp_path_factory.mktemp("ae"), digits, "autoencoder", training, hidden_dims=[64], code_dim=8)


@pytest.fixture(scope="module")
def vae(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    directory = tmp_path_factory.mktemp("vae")
    return train(directory, digits, "vae", hidden_dims=[64], code_dim=4, conditional=True)


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirteen numbers and the class, as a column: an unlabelled table."""
    bunch = load_wine()
    rows = np.hstack([bunch.data, bunch.target[:, None]]).astype(np.float32)
    rows[0, 2] = np.nan
    columns: list[dict[str, Any]] = [{"name": name, "kind": "numeric"} for name in bunch.feature_names]
    columns.append({"name": "cultivar", "kind": "categorical", "categories": ["a", "b", "c"]})
    return write_data_set(tmp_path_factory.mktemp("data") / "wine", {"train": (rows, None)}, columns=columns)


def test_an_autoencoder_beats_guessing_and_its_record_says_what_can_be_called(autoencoder: Outcome) -> None:
    version = autoencoder.version or {}
    assert version["task"] == version["signature"]["task"] == "reconstruction"
    assert version["labels"] is None
    assert version["signature"]["input"]["name"] == "image"
    assert version["signature"]["output"] == {"name": "reconstruction", "dtype": "uint8", "shape": [1, 8, 8]}
    metrics = version["metrics"]
    assert metrics["test"]["mse"] < 0.5 * metrics["baseline"]["mse"]
    assert metrics["baseline"]["anomaly_score"] is None
    assert metrics["test"]["code_sparsity"] > 0
    told = version["generative"]
    assert told["calls"] == ["decode", "interpolate", "encode", "reconstruct", "anomaly"]
    assert (told["code"], told["prior"], told["conditional"], told["classes"]) == (8, None, False, None)
    assert told["sample"] == {"dtype": "uint8", "shape": [1, 8, 8]}
    assert [file.name for file in autoencoder.files][:4] == [
        "model.onnx",
        "encoder.onnx",
        "decoder.onnx",
        "weights.safetensors",
    ]
    assert set(version["graphs"]) == {"model", "encoder", "decoder"}
    for described in version["graphs"].values():
        assert described["parity"]["max_abs_difference"] <= described["parity"]["tolerance"]


def test_what_is_encoded_and_decoded_is_what_the_whole_answers(autoencoder: Outcome, digits: Path) -> None:
    images = np.load(digits / "train.inputs.npy")[:20]
    reconstruction, error, score = graph(autoencoder, "model").run(images)
    decoded = graph(autoencoder, "decoder").run(graph(autoencoder, "encoder").run(images))
    assert np.abs(decoded.astype(int) - reconstruction.astype(int)).max() <= 1
    expected = ((reconstruction / 255.0 - images / 255.0) ** 2).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(error, expected, atol=1e-3)
    np.testing.assert_array_equal(error, score)


def test_about_one_in_a_hundred_rows_has_a_score_beyond_the_threshold(autoencoder: Outcome, digits: Path) -> None:
    anomaly = (autoencoder.version or {})["generative"]["anomaly"]
    _, _, score = graph(autoencoder, "model").run(np.load(digits / "train.inputs.npy"))
    assert 0 < (score > anomaly["threshold"]).mean() < 0.05
    assert anomaly["quantile"] == 0.99
    noise = np.random.default_rng(0).integers(0, 256, (50, 1, 8, 8), dtype=np.uint8)
    assert (graph(autoencoder, "model").run(noise)[2] > anomaly["threshold"]).all()


def test_a_conditional_vae_knows_its_bound_its_classes_and_that_it_copies_nothing(vae: Outcome) -> None:
    version = vae.version or {}
    assert version["labels"] == version["generative"]["classes"] == [str(k) for k in range(10)]
    assert "generate" in version["generative"]["calls"]
    assert version["generative"]["prior"] == "normal"
    test = version["metrics"]["test"]
    assert test["negative_elbo"] == pytest.approx(test["reconstruction"] + test["kl"], rel=1e-5)
    assert test["negative_iwae"] < test["negative_elbo"]
    assert test["anomaly_score"] == pytest.approx(test["negative_elbo"], rel=0.3)
    assert version["metrics"]["generation"]["copying"]["memorised"] is False


def test_a_conditional_vae_draws_the_digit_that_is_asked_for(vae: Outcome) -> None:
    bunch = load_digits()
    means = np.stack([bunch.images[bunch.target == k].mean(axis=0) for k in range(10)]).reshape(10, -1) * 255 / 16
    codes = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
    labels = np.arange(100) % 10
    samples = graph(vae, "decoder").run((codes, labels))
    assert (samples.dtype, samples.shape) == (np.uint8, (100, 1, 8, 8))
    distances = np.linalg.norm(samples.reshape(100, 1, -1) - means, axis=2)
    assert (distances.argmin(axis=1) == labels).mean() > 0.6


@pytest.mark.parametrize("architecture", ["autoencoder", "vae"])
def test_a_table_comes_back_in_its_own_units(architecture: str, wine: Path, tmp_path: Path) -> None:
    outcome = train(tmp_path, wine, architecture, {**SHORT, "epochs": 60}, code_dim=4)
    rows = np.load(wine / "train.inputs.npy")[1:]
    reconstruction, _, _ = graph(outcome, "model").run(rows)
    assert np.corrcoef(reconstruction[:, 12], rows[:, 12])[0, 1] > 0.7  # proline, of some hundreds
    assert set(np.unique(reconstruction[:, 13])) <= {0.0, 1.0, 2.0}
    assert (reconstruction[:, 13] == rows[:, 13]).mean() > 0.7
    (output,) = (outcome.version or {})["graphs"]["decoder"]["outputs"]
    assert [column["name"] for column in output["columns"]][-1] == "cultivar"


def test_without_held_out_rows_the_threshold_is_of_the_training_rows(wine: Path, tmp_path: Path) -> None:
    training = {**SHORT, "split": {"validation": 0.0, "test": 0.0}}
    version = train(tmp_path, wine, "autoencoder", training, code_dim=2).version or {}
    assert version["generative"]["anomaly"]["rows"] == 178
    assert version["verdict"]["fit"] == "unknown"


def test_inference_writes_the_error_and_the_score_of_each_row(
    autoencoder: Outcome, digits: Path, tmp_path: Path
) -> None:
    outcome = with_model(tmp_path, "infer", autoencoder, digits)
    lines = [json.loads(line) for line in file(outcome, "predictions.jsonl").read_text().splitlines()]
    _, error, score = graph(autoencoder, "model").run(np.load(digits / "train.inputs.npy"))
    np.testing.assert_allclose([line["error"] for line in lines], error, rtol=1e-4)
    np.testing.assert_allclose([line["score"] for line in lines], score, rtol=1e-4)


def test_a_conditional_network_is_told_the_classes_by_their_names(vae: Outcome, digits: Path, tmp_path: Path) -> None:
    images, targets = np.load(digits / "train.inputs.npy")[:100], np.load(digits / "train.targets.npy")[:100]
    turned = write_data_set(
        tmp_path / "turned", {"train": (images, 9 - targets)}, classes=[str(9 - k) for k in range(10)]
    )
    outcome = with_model(tmp_path / "a", "infer", vae, turned)
    lines = [json.loads(line) for line in file(outcome, "predictions.jsonl").read_text().splitlines()]
    _, _, expected = graph(vae, "model").run((images, targets.astype(np.int64)))
    np.testing.assert_allclose([line["score"] for line in lines], expected, rtol=1e-4)
    unlabelled = write_data_set(tmp_path / "unlabelled", {"train": (images, None)})
    with pytest.raises(JobError, match="told the class"):
        with_model(tmp_path / "b", "infer", vae, unlabelled)


@pytest.mark.parametrize("which", ["autoencoder", "vae"])
def test_what_is_evaluated_again_is_what_training_measured(
    which: str, digits: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    trained: Outcome = request.getfixturevalue(which)
    evaluated = with_model(tmp_path, "evaluate", trained, digits).result["metrics"]
    measured = trained.result["metrics"]
    for name in ("mse", "rmse", "fidelity", "anomaly_score", "intervals"):
        assert evaluated[name] == measured[name]


def test_other_data_is_evaluated_without_labels_and_is_stranger(
    autoencoder: Outcome, digits: Path, tmp_path: Path
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 1, 8, 8), dtype=np.uint8)
    other = write_data_set(tmp_path / "noise", {"train": (noise, None)})
    outcome = with_model(tmp_path, "evaluate", autoencoder, other, hardest=3)
    assert outcome.result["metrics"]["mse"] > 3 * autoencoder.result["metrics"]["mse"]
    assert [set(row) >= {"row", "error", "score"} for row in outcome.result["hardest"]] == [True] * 3


def test_a_paused_training_ends_with_the_same_weights(few_digits: Path, tmp_path: Path) -> None:
    """Noise, drawn codes and the rising beta are all in the checkpoint."""
    for architecture, given in (
        ("autoencoder", {"noise": "gaussian", "contraction": 1e-3}),
        ("vae", {"warmup_steps": 9}),
    ):
        request = {"architecture": architecture, "training": {**SHORT, "epochs": 3}, "hyperparameters": given}
        whole = run(context_of(tmp_path / f"{architecture}-whole", "train", request, dataset=few_digits))
        directory = tmp_path / f"{architecture}-paused"
        report = Recorder(wish_at_poll(4, "pause"))
        with pytest.raises(Stopped):
            run(context_of(directory, "train", request, dataset=few_digits, report=report))
        resumed = run(context_of(directory, "train", request, dataset=few_digits))
        weights = [file(outcome, "weights.safetensors").read_bytes() for outcome in (whole, resumed)]
        assert weights[0] == weights[1]
