import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from models.acceptance import trial
from models.errors import JobError
from models.inference import METADATA_KEY, load
from models.run import Outcome, Stopped, run
from tests import hostile_models as hostile
from tests.hostile_models import HOSTILE, NOT_ONNX
from tests.models.running import Recorder, context_of, wish_at_poll


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless graph is waited for no longer than a test has time."""
    monkeypatch.setattr(trial, "SECONDS", 0.5)


def register_file(directory: Path, file: onnx.ModelProto | bytes, report: Recorder | None = None) -> Outcome:
    upload = directory / "upload"
    upload.write_bytes(file if isinstance(file, bytes) else file.SerializeToString())
    return run(context_of(directory, "register", {"model": "mine"}, upload=upload, report=report))


def record_of(directory: Path, file: onnx.ModelProto | bytes) -> dict[str, Any]:
    record = register_file(directory, file).version
    assert record is not None
    return record


def refusal(directory: Path, file: onnx.ModelProto | bytes) -> JobError:
    with pytest.raises(JobError) as caught:
        register_file(directory, file)
    return caught.value


def test_the_file_becomes_a_version_as_it_is(tmp_path: Path) -> None:
    model = hostile.doubler()
    outcome = register_file(tmp_path, model)
    (file,) = outcome.files
    assert (file.name, file.path.read_bytes()) == ("model.onnx", model.SerializeToString())
    assert outcome.result == {
        "model": "mine",
        "task": "tensors",
        "batchable": True,
        "bounded": True,
        "parameters": 3,
        "opset": 17,
    }
    record = outcome.version or {}
    assert record["signature"] == {
        "task": "tensors",
        "modality": "tensors",
        "inputs": [{"name": "x", "dtype": "float32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "dtype": "float32", "shape": [-1, 3]}],
        "labels": None,
        "batchable": True,
    }
    assert (record["trusted"], record["architecture"], record["dataset_digest"]) == (False, None, None)
    json.dumps(record, allow_nan=False)


def test_rows_that_look_at_each_other_are_not_batchable(tmp_path: Path) -> None:
    assert not record_of(tmp_path, hostile.mean_of_rows())["signature"]["batchable"]


def test_a_fixed_first_dimension_is_not_batchable(tmp_path: Path) -> None:
    fixed = hostile.model_of(
        [hostile.node("Neg", ["x"], ["y"])], inputs=[hostile.value("x", [1, 3])], outputs=[hostile.value("y", [1, 3])]
    )
    signature = record_of(tmp_path, fixed)["signature"]
    assert (signature["inputs"][0]["shape"], signature["batchable"]) == ([1, 3], False)


def test_text_several_inputs_and_unknown_shapes(tmp_path: Path) -> None:
    record = record_of(tmp_path, hostile.two_inputs_of_text_and_numbers())
    assert [(each["name"], each["dtype"]) for each in record["signature"]["inputs"]] == [
        ("words", "string"),
        ("ids", "int64"),
    ]
    assert [each["name"] for each in record["signature"]["outputs"]] == ["said", "same", "total"]
    assert record["trial"] == {"size": 8}


def test_a_loop_is_taken_and_called_unbounded(tmp_path: Path) -> None:
    record = record_of(tmp_path, hostile.finite_loop())
    assert (record["bounded"], record["steady"]) == (False, False)


def test_functions_of_the_models_own_are_taken(tmp_path: Path) -> None:
    assert record_of(tmp_path, hostile.with_function())["bounded"]


def test_what_was_exported_here_keeps_its_signature(trained: Outcome, tmp_path: Path) -> None:
    record = record_of(tmp_path, trained.files[0].path.read_bytes())
    own = (trained.version or {})["signature"]
    assert record["signature"] == {**own, "batchable": True}
    assert (record["task"], record["labels"], record["trusted"]) == ("classification", own["labels"], False)
    assert record["steady"]
    assert record["parameters"] >= (trained.version or {})["parameters"]


@pytest.fixture(scope="module")
def trained(iris: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    request = {"architecture": "logistic", "training": {"epochs": 1}}
    return run(context_of(tmp_path_factory.mktemp("train"), "train", request, dataset=iris))


def of_columns(*columns: dict[str, Any]) -> dict[str, Any]:
    columns = tuple({"kind": "numeric", **column} for column in columns)
    return {"name": "features", "dtype": "float32", "shape": [4], "columns": list(columns)}


@pytest.mark.parametrize(
    "change",
    [
        {"labels": ["only one"]},
        {"labels": ["a", "a", "b"]},
        {"labels": None},
        {"task": "regression"},
        {"modality": "image"},
        {"owner": "me"},
        {"input": {"name": "features", "dtype": "float32", "shape": [5], "columns": []}},
        {"input": of_columns({"name": "a"}, {"name": "a"}, {"name": "b"}, {"name": "c"})},
        {"input": of_columns({"name": "a", "kind": "categorical"}, {"name": "b"}, {"name": "c"}, {"name": "d"})},
        {"output": {"name": "other", "dtype": "float32", "shape": [3]}},
        "no JSON",
        [1, 2, 3],
    ],
    ids=str,
)
def test_a_signature_that_does_not_fit_its_graph_is_left_out(trained: Outcome, tmp_path: Path, change: Any) -> None:
    model = onnx.load(trained.files[0].path)
    own = (trained.version or {})["signature"]
    text = json.dumps({**own, **change}) if isinstance(change, dict) else change
    onnx.helper.set_model_props(model, {METADATA_KEY: text if isinstance(text, str) else json.dumps(text)})
    report = Recorder()
    record = register_file(tmp_path, model, report).version or {}
    assert (record["task"], record["labels"]) == ("tensors", None)
    assert any("own signature" in line for line in report.lines)


@pytest.mark.parametrize("name", NOT_ONNX)
def test_what_is_not_onnx_is_refused_with_what_it_is(tmp_path: Path, name: str) -> None:
    error = refusal(tmp_path, NOT_ONNX[name])
    assert error.code in ("not_onnx", "model_corrupt")
    if name in ("pickle", "zip", "safetensors"):
        assert name in error.detail


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, hostile.truncated()).code == "model_corrupt"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_its_own_code(tmp_path: Path, name: str) -> None:
    make, code = HOSTILE[name]
    error = refusal(tmp_path, make())
    assert error.code == code, error.detail
    assert len(error.detail) < 600


def test_no_weights_are_read_from_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(np.ones(3, np.float32).tobytes())
    for location in ("secret", str(tmp_path / "secret")):
        assert refusal(tmp_path, hostile.with_weights(hostile.external(location))).code == "external_data"


LOADS = """
import re, sys
from pathlib import Path
from models.inference import load
load(sys.stdin.buffer.read(), 1, trusted=False)
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_nothing_is_computed_as_a_file_is_loaded() -> None:
    """Else this one would take 10 GB of any process that loads it; in a process of its own, to see its peak."""
    data = hostile.hoarder().SerializeToString()
    result = subprocess.run([sys.executable, "-c", LOADS], input=data, stdout=subprocess.PIPE, check=True)
    assert int(result.stdout) * 1024 < 256 * 2**20


def test_the_bound_on_memory_is_lifted_again(tmp_path: Path) -> None:
    refusal(tmp_path, HOSTILE["gigantic-computed"][0]())
    assert np.ones(trial.LOAD_SPARE_BYTES // 2, np.float32).nbytes > trial.LOAD_SPARE_BYTES
    load(hostile.doubler().SerializeToString(), 1)


def test_a_file_over_two_gibibytes_is_not_read(tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    with upload.open("wb") as file:
        file.truncate(2**31)
    with pytest.raises(JobError) as caught:
        run(context_of(tmp_path, "register", {"model": "mine"}, upload=upload))
    assert caught.value.code == "model_too_large"


def test_a_cancel_is_obeyed(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        register_file(tmp_path, hostile.doubler(), Recorder(wish_at_poll(1, "cancel")))
