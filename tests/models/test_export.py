import json
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor, nn

from models.errors import ParityFailed
from models.export import export, parity, served
from models.inference import METADATA_KEY, Session
from models.preprocess import ImagePreprocess, TabularPreprocess

SIGNATURE = {
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 6, 6]},
    "output": {"name": "probabilities", "dtype": "float32", "shape": [3]},
    "labels": ["a", "b", "c"],
}
IMAGES = torch.randint(0, 256, (5, 1, 6, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def model() -> nn.Module:
    torch.manual_seed(0)
    preprocess = ImagePreprocess(torch.tensor([100.0]), torch.tensor([60.0]), (1, 6, 6))
    return served(nn.Sequential(preprocess, nn.Flatten(), nn.Linear(36, 3)), nn.Softmax(dim=1))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    export(model(), SIGNATURE, IMAGES[:2], tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def test_the_graph_takes_raw_images_of_any_number_and_answers_probabilities(path: Path) -> None:
    graph = onnx.load(path).graph
    (image,), (probabilities,) = graph.input, graph.output
    assert (image.name, image.type.tensor_type.elem_type) == ("image", onnx.TensorProto.UINT8)
    assert [axis.dim_param or axis.dim_value for axis in image.type.tensor_type.shape.dim] == ["N", 1, 6, 6]
    assert probabilities.name == "probabilities"
    assert probabilities.type.tensor_type.shape.dim[0].dim_param == "N"


def test_the_metadata_carry_the_signature(path: Path) -> None:
    metadata = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(metadata[METADATA_KEY]) == SIGNATURE


def test_parity_is_measured_at_every_batch_size(path: Path) -> None:
    report = parity(model(), Session(path, 1), IMAGES.numpy(), 1e-4)
    assert report["max_abs_difference"] < 1e-6
    assert report["batch_sizes"] == [1, 2, 7, 32]


def test_a_graph_that_answers_otherwise_is_refused(path: Path) -> None:
    other = model()
    with torch.no_grad():
        other[0][2].bias[0] += 0.01  # type: ignore[index]
    with pytest.raises(ParityFailed, match="differ"):
        parity(other, Session(path, 1), IMAGES.numpy(), 1e-4)


def test_answers_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    broken = model()
    with torch.no_grad():
        broken[0][2].bias[0] = float("nan")  # type: ignore[index]
    export(broken, SIGNATURE, IMAGES[:2], tmp_path / "model.onnx")
    with pytest.raises(ParityFailed, match="finite"):
        parity(broken, Session(tmp_path / "model.onnx", 1), IMAGES.numpy(), 1e-4)


def test_missing_values_are_among_the_answers_compared(tmp_path: Path) -> None:
    columns: list[dict[str, Any]] = [
        {"name": "x", "kind": "numeric"},
        {"name": "y", "kind": "categorical", "categories": ["a", "b"]},
    ]
    network = nn.Sequential(TabularPreprocess(torch.zeros(2), torch.ones(2), columns), nn.Linear(3, 2))
    signature = {"input": {"name": "features"}, "output": {"name": "probabilities"}}
    rows = torch.tensor([[0.5, 0.0], [1.5, 1.0]])
    good = served(network, nn.Softmax(dim=1))
    export(good, signature, rows, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", 1)
    assert parity(good, session, rows.numpy(), 1e-4)["max_abs_difference"] < 1e-6
    imputes_otherwise = nn.Sequential(_Missing(7.0), good)
    with pytest.raises(ParityFailed):
        parity(imputes_otherwise, session, rows.numpy(), 1e-4)


class _Missing(nn.Module):
    """Puts a value in the place of what is missing."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, rows: Tensor) -> Tensor:
        return rows.nan_to_num(self.value)
