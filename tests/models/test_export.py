import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor, nn

from models.errors import ParityFailed
from models.export import export, parity
from models.graphs import Graph, served
from models.inference import METADATA_KEY, Session
from models.preprocess import ImagePreprocess, TabularPreprocess

IMAGE = {"name": "image", "dtype": "uint8", "shape": [1, 6, 6]}
PROBABILITIES = {"name": "probabilities", "dtype": "float32", "shape": [3]}
SIGNATURE = {"input": IMAGE, "output": PROBABILITIES, "labels": ["a", "b", "c"]}
IMAGES = torch.randint(0, 256, (5, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def model() -> nn.Module:
    torch.manual_seed(0)
    preprocess = ImagePreprocess(torch.tensor([100.0]), torch.tensor([60.0]), (1, 6, 6))
    return served(nn.Sequential(preprocess, nn.Flatten(), nn.Linear(36, 3)), nn.Softmax(dim=1))


def graph(module: nn.Module) -> Graph:
    return Graph(module, [IMAGE], [PROBABILITIES], (IMAGES,), {"probabilities": 1e-4})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    export(graph(model()), SIGNATURE, tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_the_graph_takes_raw_images_of_any_number_and_answers_probabilities(path: Path) -> None:
    written = onnx.load(path).graph
    (image,), (probabilities,) = written.input, written.output
    assert (image.name, image.type.tensor_type.elem_type) == ("image", onnx.TensorProto.UINT8)
    assert [axis.dim_param or axis.dim_value for axis in image.type.tensor_type.shape.dim] == ["N", 1, 6, 6]
    assert probabilities.name == "probabilities"
    assert probabilities.type.tensor_type.shape.dim[0].dim_param == "N"


def test_the_metadata_carry_the_signature(path: Path) -> None:
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(metadata[METADATA_KEY]) == SIGNATURE


def test_parity_is_measured_at_every_batch_size(path: Path) -> None:
    report = parity(graph(model()), Session(path, 1))
    assert report["max_abs_difference"] < 1e-6
    assert report["batch_sizes"] == [1, 2, 7, 32]


def test_a_graph_that_answers_otherwise_is_refused(path: Path) -> None:
    other = model()
    with torch.no_grad():
        other[0][2].bias[0] += 0.01  # type: ignore[index]
    with pytest.raises(ParityFailed, match="differ"):
        parity(graph(other), Session(path, 1))


def test_answers_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    broken = model()
    with torch.no_grad():
        broken[0][2].bias[0] = float("nan")  # type: ignore[index]
    export(graph(broken), SIGNATURE, tmp_path / "model.onnx")
    with pytest.raises(ParityFailed, match="finite"):
        parity(graph(broken), Session(tmp_path / "model.onnx", 1))


class _Parts(nn.Module):
    """The half of rows (N, 2) moved by labels (N,), rounded, and their sum."""

    def __init__(self, moved: float = 0.0) -> None:
        super().__init__()
        self.moved = moved

    def forward(self, rows: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        moved = rows / 2 + labels[:, None] + self.moved
        return moved.round().to(torch.uint8), rows.sum(dim=1)


def parts(moved: float = 0.0) -> Graph:
    examples = torch.tensor([[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]]), torch.tensor([0, 1, 2])
    return Graph(
        _Parts(moved).eval(),
        [{"name": "rows"}, {"name": "label"}],
        [{"name": "pixels"}, {"name": "sum"}],
        examples,
        {"pixels": 1.0, "sum": 1e-4},
    )


def test_a_graph_may_have_several_inputs_and_outputs_each_with_its_own_tolerance(tmp_path: Path) -> None:
    export(parts(), {"task": "parts"}, tmp_path / "parts.onnx")
    session = Session(tmp_path / "parts.onnx", 1)
    pixels, total = session.run((np.array([[2.0, 4.0]], np.float32), np.array([3])))
    assert (pixels.dtype, pixels.tolist(), total.tolist()) == (np.uint8, [[4, 5]], [6.0])
    assert parity(parts(), session)["max_abs_difference"] == 0.0
    assert parity(parts(moved=1.0), session) == {
        "max_abs_difference": 1.0,
        "tolerance": 1.0,
        "batch_sizes": [1, 2, 7, 32],
    }
    with pytest.raises(ParityFailed, match="pixels"):
        parity(parts(moved=2.0), session)


def test_missing_values_are_among_the_answers_compared(tmp_path: Path) -> None:
    columns: list[dict[str, Any]] = [
        {"name": "x", "kind": "numeric"},
        {"name": "y", "kind": "categorical", "categories": ["a", "b"]},
    ]
    network = nn.Sequential(TabularPreprocess(torch.zeros(2), torch.ones(2), columns), nn.Linear(3, 2))
    features: dict[str, Any] = {"name": "features", "columns": columns}
    rows = torch.tensor([[0.5, 0.0], [1.5, 1.0]])
    good = Graph(served(network, nn.Softmax(dim=1)), [features], [PROBABILITIES], (rows,), {"probabilities": 1e-4})
    export(good, {}, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", 1)
    assert parity(good, session)["max_abs_difference"] < 1e-6
    with pytest.raises(ParityFailed):
        parity(replace(good, module=nn.Sequential(_Missing(7.0), good.module)), session)


class _Missing(nn.Module):
    """Puts a value in the place of what is missing."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, rows: Tensor) -> Tensor:
        return rows.nan_to_num(self.value)


def test_a_name_that_the_exporter_changes_is_refused(tmp_path: Path) -> None:
    described: dict[str, Any] = {"name": "x", "dtype": "float32", "shape": [3]}
    graph = Graph(nn.Linear(3, 3).eval(), [described], [described], (torch.ones(1, 3),), {"x": 1e-4})
    with pytest.raises(ValueError, match="wrote the tensors"):
        export(graph, {}, tmp_path / "model.onnx")
