import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from models.inference import Session, load
from models.run import JobContext, Outcome, Stopped, run
from tests.models.running import Recorder, context_of, file, wish_at_poll, write_data_set

ALL = ["optimized", "fp16", "int8"]


def train(directory: Path, dataset: Path, architecture: str, **request: Any) -> Outcome:
    return run(context_of(directory, "train", {"architecture": architecture, **request}, dataset=dataset))


@pytest.fixture(scope="module")
def lenet(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """LeNet on the digits, without a seed's luck: 0.9 of them are right at the least."""
    training = {"epochs": 4, "optimizer": {"name": "adam", "learning_rate": 0.003}}
    return train(tmp_path_factory.mktemp("lenet"), digits, "lenet", training=training)


def context(directory: Path, trained: Outcome, dataset: Path | None, **request: Any) -> JobContext:
    report = request.pop("report", None)
    version = {**(trained.version or {}), **request.pop("version", {})}
    return context_of(
        directory, "optimize", request, dataset=dataset, model=trained.files[0].path, version=version, report=report
    )


def by_name(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {variant["name"]: variant for variant in outcome.result["variants"]}


@pytest.fixture(scope="module")
def outcome(lenet: Outcome, digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(context(tmp_path_factory.mktemp("optimize"), lenet, digits))


def test_every_variant_is_accepted_with_its_file_and_report(outcome: Outcome) -> None:
    assert [variant["name"] for variant in outcome.result["variants"]] == ALL
    assert all(variant["accepted"] and variant["reason"] is None for variant in outcome.result["variants"])
    assert [file.name for file in outcome.files] == [*(f"{name}.onnx" for name in ALL), "report.json"]
    assert [variant["file"] for variant in outcome.variants or []] == [f"{name}.onnx" for name in ALL]
    assert json.loads(file(outcome, "report.json").read_text()) == outcome.result
    json.dumps(outcome.result, allow_nan=False)


def test_a_report_holds_the_variant_against_the_original(outcome: Outcome, lenet: Outcome) -> None:
    for name, variant in by_name(outcome).items():
        report = variant["report"]
        assert report["bytes"]["original"] == lenet.files[0].path.stat().st_size
        assert report["bytes"]["variant"] == file(outcome, f"{name}.onnx").stat().st_size
        metrics = report["metrics"]
        assert (metrics["split"], metrics["main"]) == ("test", "accuracy")
        assert metrics["rows"] == sum(sum(row) for row in lenet.result["metrics"]["confusion_matrix"])
        assert metrics["original"]["accuracy"] == lenet.result["metrics"]["accuracy"]
        assert metrics["loss"] == metrics["original"]["accuracy"] - metrics["variant"]["accuracy"] <= 0.01
        assert report["parity"]["batch_sizes"] == [1, 2, 7, 32]
        for size in ("batch_1", "batch_32"):
            assert report["latency_ms"][size]["original"] > 0
            assert report["latency_ms"][size]["variant"] > 0


def test_the_answers_differ_as_the_report_says(outcome: Outcome, lenet: Outcome, digits: Path) -> None:
    batch = np.load(digits / "train.inputs.npy")[:32]
    expected = Session(lenet.files[0].path, 1).run(batch)
    allowed = {"optimized": 1e-5, "fp16": 0.01, "int8": 0.1}
    for name, variant in by_name(outcome).items():
        answered = Session(file(outcome, f"{name}.onnx"), 1).run(batch)
        np.testing.assert_allclose(answered.sum(axis=1), 1, atol=1e-5)
        assert np.abs(answered - expected).max() <= allowed[name]
        assert variant["report"]["parity"]["max_abs_difference"] <= allowed[name]


def test_inputs_outputs_and_metadata_stay_and_all_weights_are_inside(outcome: Outcome, lenet: Outcome) -> None:
    original = onnx.load(lenet.files[0].path)
    for name in ALL:
        data = file(outcome, f"{name}.onnx").read_bytes()
        model = onnx.load_model_from_string(data)
        assert list(model.graph.input) == list(original.graph.input)
        assert list(model.graph.output) == list(original.graph.output)
        assert {each.key: each.value for each in model.metadata_props} == {
            each.key: each.value for each in original.metadata_props
        }
        assert {opset.domain for opset in model.opset_import} == {""}
        assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)
        load(data, 1)


def weight_types(path: Path) -> set[int]:
    return {tensor.data_type for tensor in onnx.load(path).graph.initializer if len(tensor.dims) > 1}


def test_weights_are_of_the_type_that_the_name_says(outcome: Outcome) -> None:
    assert weight_types(file(outcome, "optimized.onnx")) == {onnx.TensorProto.FLOAT}
    # What normalises the pixels stays in float32, and the last and the smallest layers of int8.
    assert onnx.TensorProto.FLOAT16 in weight_types(file(outcome, "fp16.onnx"))
    assert weight_types(file(outcome, "int8.onnx")) == {onnx.TensorProto.INT8, onnx.TensorProto.FLOAT}
    sizes = [by_name(outcome)[name]["report"]["bytes"]["variant"] for name in ALL]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[2] < 0.5 * sizes[0]


def test_the_same_job_makes_the_same_files(outcome: Outcome, lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    again = run(context(tmp_path, lenet, digits))
    for name in ALL:
        digests = [hashlib.sha256(file(each, f"{name}.onnx").read_bytes()).hexdigest() for each in (outcome, again)]
        assert digests[0] == digests[1], name


def test_a_variant_that_loses_too_much_is_listed_and_not_kept(lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    request = {"variants": ["int8"], "max_accuracy_loss": -1.0}  # not even an equal one is good enough
    outcome = run(context(tmp_path, lenet, digits, **request))
    (variant,) = outcome.result["variants"]
    assert not variant["accepted"]
    assert "accuracy" in variant["reason"]
    assert variant["report"]["metrics"]["loss"] is not None
    assert outcome.variants == []
    assert [file.name for file in outcome.files] == ["report.json"]


def test_one_calibration_sample_is_worse_than_many(lenet: Outcome, digits: Path, tmp_path: Path) -> None:
    differences = [
        by_name(run(context(tmp_path / str(count), lenet, digits, variants=["int8"], calibration_samples=count)))[
            "int8"
        ]["report"]["parity"]["max_abs_difference"]
        for count in (1, 512)
    ]
    assert differences[0] > differences[1]


def test_a_network_of_one_layer_is_not_quantised(iris: Path, tmp_path: Path) -> None:
    trained = train(tmp_path / "train", iris, "logistic", training={"epochs": 2})
    variants = by_name(run(context(tmp_path / "optimize", trained, iris)))
    assert [variants[name]["accepted"] for name in ALL] == [True, True, False]
    assert "No layer" in variants["int8"]["reason"]
    assert variants["int8"]["report"] is None


def test_raw_values_beyond_a_half_and_regression(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal(1e6, 1e5, (400, 3)).astype(np.float32)
    targets = (rows @ np.array([1.0, -2.0, 0.5], np.float32)).astype(np.float32)
    dataset = write_data_set(tmp_path / "data", {"train": (rows, targets)})
    request = {"hyperparameters": {"hidden_dims": [64, 128]}, "training": {"epochs": 20}}
    trained = train(tmp_path / "train", dataset, "mlp", **request)
    variants = by_name(run(context(tmp_path / "optimize", trained, dataset, max_accuracy_loss=0.02)))
    assert [variants[name]["accepted"] for name in ALL] == [True, True, True]
    assert {variants[name]["report"]["metrics"]["main"] for name in ALL} == {"r2"}


def test_without_a_data_set_parity_decides_and_int8_is_refused(lenet: Outcome, tmp_path: Path) -> None:
    variants = by_name(run(context(tmp_path, lenet, None)))
    assert [variants[name]["accepted"] for name in ALL] == [True, True, False]
    assert variants["fp16"]["report"]["metrics"] is None
    assert "held-out" in variants["int8"]["reason"]


def test_validation_rows_serve_where_there_are_no_test_rows(few_digits: Path, tmp_path: Path) -> None:
    training = {"epochs": 1, "split": {"test": 0.0, "validation": 0.2}}
    trained = train(tmp_path / "train", few_digits, "mlp", training=training)
    variants = by_name(run(context(tmp_path / "optimize", trained, few_digits, variants=["optimized"])))
    assert variants["optimized"]["report"]["metrics"]["split"] == "validation"


@pytest.mark.parametrize("poll", [1, 3, 30])
def test_a_cancel_is_obeyed(lenet: Outcome, digits: Path, tmp_path: Path, poll: int) -> None:
    with pytest.raises(Stopped):
        run(context(tmp_path, lenet, digits, report=Recorder(wish_at_poll(poll, "cancel"))))
