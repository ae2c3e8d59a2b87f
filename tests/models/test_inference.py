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


def test_what_onnx_runtime_says_is_told_without_its_own_functions(tmp_path: Path) -> None:
    tree = helper.make_node(
        "TreeEnsembleRegressor",
        ["x"],
        ["y"],
        domain="ai.onnx.ml",
        n_targets=1,
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.0, 1.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"],
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_truenodeids=[2, 2, 0],
        nodes_falsenodeids=[1, 0, 0],
        target_ids=[0],
        target_nodeids=[2],
        target_treeids=[0],
        target_weights=[1.0],
    )
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in ("x", "y")]
    graph = helper.make_graph([tree], "looping", ends[:1], ends[1:])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), tmp_path / "model.onnx")
    with pytest.raises(JobError) as caught:
        Session(tmp_path / "model.onnx", threads=1)
    said = "Exception during initialization: False node must always be the next node, but it isn't at index 2"
    assert caught.value.detail.startswith(f"ONNX Runtime cannot load this model's file: {said}")


def test_telemetry_is_off_before_onnx_runtime_is_imported() -> None:
    code = "import os, models.inference; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    subprocess.run([sys.executable, "-c", code], check=True)
