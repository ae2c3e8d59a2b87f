"""ONNX Runtime sessions."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from services.errors import Unavailable
from services.serving.sessions import open_session, read_graph
from tests.hostile_models import external, with_weights
from tests.serving_models import tabular_regressor


def placed(directory: Path, content: bytes) -> tuple[Path, str]:
    path = directory / hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    return path, path.name


def test_a_file_is_read_if_it_is_the_one_that_was_registered(tmp_path: Path) -> None:
    assert read_graph(*placed(tmp_path, b"graph")) == b"graph"


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as failure:
        read_graph(tmp_path / "none", "0" * 64)
    assert failure.value.code == "model_file_missing"


@pytest.mark.parametrize("change", [lambda data: data + b"x", lambda data: data[:-1], lambda data: b""])
def test_an_altered_file_is_not_read(tmp_path: Path, change: object) -> None:
    path, sha256 = placed(tmp_path, tabular_regressor())
    path.write_bytes(change(path.read_bytes()))  # type: ignore[operator]
    with pytest.raises(Unavailable) as failure:
        read_graph(path, sha256)
    assert failure.value.code == "model_file_altered"


@pytest.mark.parametrize("content", [b"", b"no onnx", tabular_regressor()[:-9]], ids=["empty", "text", "cut"])
@pytest.mark.parametrize("trusted", [True, False])
def test_what_is_no_graph_does_not_load(content: bytes, trusted: bool) -> None:
    with pytest.raises(Unavailable) as failure:
        open_session(content, threads=1, trusted=trusted)
    assert failure.value.code == "model_not_loadable"


def test_weights_outside_of_the_file_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(np.ones(3, np.float32).tobytes())
    for location in ("secret", "../secret", str(tmp_path / "secret")):
        with pytest.raises(Unavailable) as failure:
            open_session(with_weights(external(location)).SerializeToString(), threads=1)
        assert failure.value.code == "model_not_loadable"


def test_a_run_takes_the_threads_that_it_was_given_and_none_spins() -> None:
    options = open_session(tabular_regressor(), threads=2).get_session_options()
    assert options.intra_op_num_threads == 2
    assert options.inter_op_num_threads == 1
    for kind in ("intra_op", "inter_op"):
        assert options.get_session_config_entry(f"session.{kind}.allow_spinning") == "0"


def test_a_failing_run_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    node = helper.make_node("Gather", ["table", "x"], ["y"])
    table = helper.make_tensor("table", TensorProto.FLOAT, [2], [1.0, 2.0])
    given = helper.make_tensor_value_info("x", TensorProto.INT64, ["N"])
    taken = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N"])
    graph = helper.make_graph([node], "g", [given], [taken], [table])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    session = open_session(model.SerializeToString(), threads=1)
    with pytest.raises(Exception, match="out of data bounds"):
        session.run(None, {"x": np.array([4711])})
    assert capfd.readouterr() == ("", "")


def test_telemetry_is_off_before_the_runtime_is_imported() -> None:
    code = (
        "import os, sys; import services.serving; "
        "assert 'onnxruntime' not in sys.modules; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "1"
