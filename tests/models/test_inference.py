import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.errors import JobError
from models.inference import Session


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A graph that answers its input twice over."""
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_batches_are_answered_in_order_and_joined(doubling: Path) -> None:
    done: list[int] = []
    rows = np.arange(10, dtype=np.float32).reshape(5, 2)
    answers = Session(doubling, threads=1).run_all([rows[:3], rows[3:]], done.append)
    np.testing.assert_array_equal(answers, 2 * rows)
    assert done == [3, 5]


def test_answers_of_batches_of_differing_width_are_padded(doubling: Path) -> None:
    batches = [np.ones((2, 2), np.float32), np.ones((1, 2), np.float32)]
    answers = Session(doubling, threads=1).run_all(batches, read=lambda outputs: outputs[:, : len(outputs)])
    assert answers.tolist() == [[2, 2], [2, 2], [2, -1]]


def test_a_file_that_is_no_graph_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(JobError) as caught:
        Session(tmp_path / "model.onnx", threads=1)
    assert caught.value.code == "model_invalid"


def test_telemetry_is_off_before_onnx_runtime_is_imported() -> None:
    code = "import os, models.inference; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    subprocess.run([sys.executable, "-c", code], check=True)
