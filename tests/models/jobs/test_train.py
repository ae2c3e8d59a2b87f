import gzip
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

from models.data import DataSet
from models.errors import JobError
from models.inference import Session
from models.run import Outcome, Stopped, run
from models.training.settings import Split
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set

THOROUGH: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 32,
    "optimizer": {"name": "adam", "learning_rate": 0.003},
    "scheduler": {"name": "cosine"},
    "augmentation": ["flip", "crop", "rotate", "erase"],
    "label_noise": 0.1,
    "early_stopping": {"patience": 3},
    "gradient_clip": 1.0,
    "l2": 1e-4,
}
CONVEX: dict[str, Any] = {
    "epochs": 300,
    "batch_size": "all",
    "optimizer": {"name": "adam", "learning_rate": 0.05},
    "scheduler": {"name": "cosine"},
}


def train(directory: Path, dataset: Path, architecture: str, training: dict[str, Any], **given: Any) -> Outcome:
    request = {"architecture": architecture, "training": training, "hyperparameters": given.pop("hyperparameters", {})}
    return run(context_of(directory, "train", request, dataset=dataset, **given))


def weights(outcome: Outcome) -> dict[str, torch.Tensor]:
    return load_file(file(outcome, "weights.safetensors"))


@pytest.fixture(scope="module")
def trained(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Recorder]:
    recorder = Recorder()
    directory = tmp_path_factory.mktemp("trained")
    return train(directory, digits, "lenet", {"epochs": 8, "batch_size": 32}, report=recorder), recorder


def test_lenet_learns_the_digits(trained: tuple[Outcome, Recorder]) -> None:
    result = trained[0].result
    assert result["metrics"]["accuracy"] > 0.93
    assert result["baseline"]["accuracy"] < 0.15
    assert result["validation"]["accuracy"] > 0.93
    assert {key: result[key] for key in ("model", "epochs", "device", "precision", "stopped_early")} == {
        "model": "a-model",
        "epochs": 8,
        "device": "cpu",
        "precision": "float32",
        "stopped_early": False,
    }
    assert result["samples_per_second"] > 0
    assert result["verdict"]["fit"] == "good"
    for split in ("metrics", "validation", "train", "baseline"):
        low, high = result[split]["intervals"]["accuracy"]
        assert low < result[split]["accuracy"] < high
    assert 1 <= result["best_epoch"] <= 8


def test_the_version_says_how_it_came_to_be(trained: tuple[Outcome, Recorder], digits: Path) -> None:
    version = trained[0].version
    assert version is not None
    assert version["architecture"] == "lenet"
    assert version["hyperparameters"]["dropout"] == 0.0
    assert version["training"]["optimizer"]["name"] == "adam"
    assert version["signature"]["input"] == {"name": "image", "dtype": "uint8", "shape": [1, 8, 8]}
    assert version["signature"]["output"] == {"name": "probabilities", "dtype": "float32", "shape": [10]}
    assert version["labels"] == version["signature"]["labels"] == [str(k) for k in range(10)]
    assert version["parity"]["max_abs_difference"] < version["parity"]["tolerance"] == 1e-4
    assert version["parity"]["batch_sizes"] == [1, 2, 7, 32]
    assert version["dataset_digest"] == DataSet.open(digits).manifest["digest"]
    assert version["split"] == {"validation": 0.2, "test": 0.2, "seed": 0}
    json.dumps([version, trained[0].result], allow_nan=False)


def test_the_files_are_the_graph_the_weights_and_a_report(trained: tuple[Outcome, Recorder]) -> None:
    outcome = trained[0]
    assert [file.name for file in outcome.files] == ["model.onnx", "weights.safetensors", "report.json"]
    assert json.loads(file(outcome, "report.json").read_text())["rows"] == {
        "train": 1079,
        "validation": 359,
        "test": 359,
    }
    network = weights(outcome)
    assert (
        sum(value.numel() for name, value in network.items() if name.startswith("1.")) == outcome.result["parameters"]
    )


def test_the_graph_answers_raw_images_with_probabilities(trained: tuple[Outcome, Recorder], digits: Path) -> None:
    dataset = DataSet.open(digits)
    session = Session(file(trained[0], "model.onnx"), threads=1)
    probabilities = session.run(np.array(dataset.inputs("train")[:50]))
    targets = dataset.targets("train")
    assert targets is not None
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, atol=1e-5)
    assert (probabilities.argmax(axis=1) == targets[:50]).mean() > 0.9


def test_progress_and_series_are_reported(trained: tuple[Outcome, Recorder]) -> None:
    recorder = trained[1]
    assert recorder.steps[0] == 1
    assert recorder.series["train_loss"][0][0] == 1
    assert len(recorder.series["val_accuracy"]) == 8
    assert recorder.fractions == sorted(recorder.fractions)


def test_a_killed_and_resumed_run_ends_with_the_same_bits(few_digits: Path, tmp_path: Path) -> None:
    """Killed after random steps, again and again, each time with a checkpoint of some step before."""
    hyperparameters = {"dropout": 0.3}
    whole = train(tmp_path / "whole", few_digits, "lenet", THOROUGH, hyperparameters=hyperparameters)
    total = whole.result["steps"]
    generator = random.Random(0)
    for interval in (0.0, 0.01):
        directory = tmp_path / f"interval {interval}"
        steps = sorted(generator.sample(range(1, total), 4))
        for kill_at in [last - first for first, last in zip([0, *steps], steps, strict=False)]:
            with pytest.raises(ConnectionAbortedError):
                train(
                    directory,
                    few_digits,
                    "lenet",
                    THOROUGH,
                    hyperparameters=hyperparameters,
                    checkpoint_interval_seconds=interval,
                    report=Recorder(killed_at_poll(kill_at)),
                )
        report = Recorder()
        resumed = train(directory, few_digits, "lenet", THOROUGH, hyperparameters=hyperparameters, report=report)
        assert any("resumed after step" in line for line in report.lines) or interval
        assert_same_bits(whole, resumed)


@pytest.mark.parametrize("poll", range(1, 20, 3))
def test_a_paused_and_resumed_run_ends_with_the_same_bits(few_digits: Path, tmp_path: Path, poll: int) -> None:
    """Polls fall on steps and on batches of validations alike."""
    whole = train(tmp_path / "whole", few_digits, "mlp", THOROUGH, hyperparameters={"batch_norm": True, "dropout": 0.2})
    hyperparameters = {"batch_norm": True, "dropout": 0.2}
    pausing = Recorder(wish_at_poll(poll, "pause"))
    with pytest.raises(Stopped, match="pause"):
        train(tmp_path / "paused", few_digits, "mlp", THOROUGH, hyperparameters=hyperparameters, report=pausing)
    resumed = train(tmp_path / "paused", few_digits, "mlp", THOROUGH, hyperparameters=hyperparameters)
    assert_same_bits(whole, resumed)


def test_bfloat16_on_a_cpu_resumes_and_exports_as_float32_does(few_digits: Path, tmp_path: Path) -> None:
    training = {**THOROUGH, "precision": "bfloat16"}
    whole = train(tmp_path / "whole", few_digits, "lenet", training)
    with pytest.raises(Stopped, match="pause"):
        train(tmp_path / "paused", few_digits, "lenet", training, report=Recorder(wish_at_poll(7, "pause")))
    resumed = train(tmp_path / "paused", few_digits, "lenet", training)
    assert_same_bits(whole, resumed)
    assert whole.result["precision"] == "bfloat16"
    single = train(tmp_path / "single", few_digits, "lenet", THOROUGH)
    changed = [name for name, value in weights(single).items() if not torch.equal(value, weights(whole)[name])]
    assert changed  # it was computed otherwise, and yet is exported as it was trained
    assert whole.version is not None
    assert whole.version["parity"]["max_abs_difference"] < whole.version["parity"]["tolerance"]


def test_a_cancelled_run_stops(few_digits: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped) as caught:
        train(tmp_path, few_digits, "lenet", {"epochs": 50}, report=Recorder(wish_at_poll(3, "cancel")))
    assert caught.value.wish == "cancel"


def test_logistic_regression_is_within_a_point_of_scikit_learn(iris: Path, breast_cancer: Path, tmp_path: Path) -> None:
    for directory in (iris, breast_cancer):
        outcome = train(tmp_path / directory.name, directory, "logistic", {**CONVEX, "l2": 1e-3})
        inputs, targets = rows_of(directory)
        scaler = StandardScaler().fit(inputs["train"])
        theirs = LogisticRegression(max_iter=1000).fit(scaler.transform(inputs["train"]), targets["train"])
        accuracy = theirs.score(scaler.transform(inputs["test"]), targets["test"])
        assert outcome.result["metrics"]["accuracy"] >= accuracy - 0.01


def test_linear_regression_is_least_squares(diabetes: Path, tmp_path: Path) -> None:
    training = {**CONVEX, "epochs": 2000, "split": {"validation": 0.0, "test": 0.2}}
    outcome = train(tmp_path, diabetes, "linear", training)
    inputs, targets = rows_of(diabetes, Split(validation=0.0))
    theirs = LinearRegression().fit(inputs["train"], targets["train"])
    assert outcome.result["metrics"]["r2"] == pytest.approx(theirs.score(inputs["test"], targets["test"]), abs=1e-3)
    assert outcome.result["baseline"]["r2"] < 0.01
    assert outcome.version is not None
    assert outcome.version["signature"]["output"] == {"name": "value", "dtype": "float32", "shape": []}
    answers = Session(file(outcome, "model.onnx"), threads=1).run(inputs["test"])
    np.testing.assert_allclose(answers, theirs.predict(inputs["test"]), rtol=0, atol=2.0)


def test_missing_values_and_unknown_categories_are_answered(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    colour = generator.integers(0, 3, 200)
    size = generator.normal(50, 10, 200)
    rows = np.stack([size, colour], axis=1).astype(np.float32)
    rows[::10, 0] = np.nan
    rows[::15, 1] = np.nan
    columns: list[dict[str, Any]] = [
        {"name": "size", "kind": "numeric"},
        {"name": "colour", "kind": "categorical", "categories": ["blue", "green", "red"]},
    ]
    price = (size + 20 * colour).astype(np.float32)
    dataset = write_data_set(tmp_path / "data", {"train": (rows, price)}, columns=columns)
    outcome = train(tmp_path, dataset, "mlp", {"epochs": 30, "optimizer": {"name": "adam", "learning_rate": 0.01}})
    assert outcome.result["metrics"]["r2"] > 0.5
    answers = Session(file(outcome, "model.onnx"), threads=1).run(
        np.array([[np.nan, np.nan], [50, 17], [50, 0]], np.float32)
    )
    assert np.isfinite(answers).all()


@pytest.mark.slow
def test_lenet_reaches_its_accuracy_on_fashion_mnist(test_data: Path, tmp_path: Path) -> None:
    folder = test_data / "fashion-mnist"
    splits = {
        split: (_idx(folder / f"{prefix}-images-idx3-ubyte.gz", 16), _idx(folder / f"{prefix}-labels-idx1-ubyte.gz", 8))
        for split, prefix in (("train", "train"), ("test", "t10k"))
    }
    arrays = {
        split: (images.reshape(-1, 1, 28, 28), labels.astype(np.int64)) for split, (images, labels) in splits.items()
    }
    dataset = write_data_set(tmp_path / "data", arrays, classes=[str(k) for k in range(10)])
    training = {"epochs": 8, "scheduler": {"name": "cosine"}, "split": {"validation": 0.1}}
    assert train(tmp_path, dataset, "lenet", training).result["metrics"]["accuracy"] >= 0.89


def _idx(path: Path, header: int) -> Any:
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def test_divergence_is_a_clear_error(diabetes: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError) as caught:
        train(tmp_path, diabetes, "linear", {"optimizer": {"name": "sgd", "learning_rate": 100.0}, "epochs": 50})
    assert caught.value.code == "training_diverged"


def test_early_stopping_ends_the_run(few_digits: Path, tmp_path: Path) -> None:
    training = {"epochs": 100, "early_stopping": {"patience": 2}, "optimizer": {"name": "adam", "learning_rate": 0.1}}
    result = train(tmp_path, few_digits, "mlp", training).result
    assert result["stopped_early"]
    assert result["best_epoch"] == result["epochs"] - 2


def test_without_a_test_split_there_are_no_test_metrics(iris: Path, tmp_path: Path) -> None:
    result = train(tmp_path, iris, "logistic", {"split": {"validation": 0.2, "test": 0.0}}).result
    assert result["metrics"] == result["baseline"] == {}
    assert "accuracy" in result["validation"]


def test_a_kind_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="train"):
        run(context_of(tmp_path, "fly", {}))


def killed_at_poll(poll: int) -> Any:
    """A reporter's wish that kills the run, as nearly as a test in one process can."""

    def wish(recorder: Recorder) -> None:
        if recorder.polls >= poll:
            raise ConnectionAbortedError

    return wish


def rows_of(directory: Path, split: Split | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Inputs and targets of each split, as the train job divides them."""
    divided = DataSet.open(directory).divided(split or Split())
    batches = {name: next(examples.batches(len(examples))) for name, examples in divided.items()}
    return (
        {name: batch.inputs.numpy() for name, batch in batches.items()},
        {name: batch.targets.numpy() for name, batch in batches.items()},
    )


def assert_same_bits(first: Outcome, second: Outcome) -> None:
    expected, found = weights(first), weights(second)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    assert file(first, "model.onnx").read_bytes() == file(second, "model.onnx").read_bytes()
    assert first.result["metrics"] == second.result["metrics"]
