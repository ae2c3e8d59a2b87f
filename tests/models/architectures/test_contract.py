"""What every registered architecture must do. A new one is tested without a test being written."""

from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models import registry
from models.export import export, served
from models.inference import Session
from models.registry import Architecture, ArchitectureConfig, Reference, Shape

IMAGE: Shape = (1, 28, 28)
TABLE: Shape = (6,)
NUM_CLASSES = 3


class Case(NamedTuple):
    """An architecture with one kind of input."""

    architecture: Architecture
    modality: str
    task: str

    @property
    def input_shape(self) -> Shape:
        return IMAGE if self.modality == "image" else TABLE

    @property
    def num_outputs(self) -> int:
        return NUM_CLASSES if self.task == "classification" else 1

    def network(self) -> nn.Module:
        torch.manual_seed(0)
        return self.architecture.configure({}).build(self.input_shape, self.num_outputs)

    def batch(self, size: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(1)
        inputs = torch.randn(size, *self.input_shape, generator=generator)
        targets = torch.arange(size) % NUM_CLASSES
        return inputs, targets if self.task == "classification" else targets.float()

    def loss(self, network: nn.Module, size: int = 12) -> Tensor:
        inputs, targets = self.batch(size)
        outputs = network(inputs)
        if self.task == "classification":
            return nn.functional.cross_entropy(outputs, targets)
        return nn.functional.mse_loss(outputs.squeeze(1), targets)


CASES = [
    Case(architecture, modality, task)
    for architecture in registry.architectures()
    for modality in architecture.modality
    for task in architecture.tasks
]
REFERENCES = [
    (architecture, reference) for architecture in registry.architectures() for reference in architecture.references
]

every_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.architecture.name}-{case.modality}-{case.task}" for case in CASES]
)


@every_case
@pytest.mark.parametrize("size", [1, 5])
def test_an_output_for_each_input_and_class(case: Case, size: int) -> None:
    outputs = case.network().eval()(case.batch(size)[0])
    assert outputs.shape == (size, case.num_outputs)
    assert outputs.isfinite().all()


@every_case
def test_every_parameter_gets_a_gradient(case: Case) -> None:
    network = case.network()
    case.loss(network).backward()  # type: ignore[no-untyped-call]
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@every_case
def test_one_batch_can_be_overfitted(case: Case) -> None:
    network = case.network()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    losses: list[float] = []
    while len(losses) < 300 and (not losses or losses[-1] >= 0.1 * losses[0]):
        optimizer.zero_grad()
        loss = case.loss(network, NUM_CLASSES)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


@every_case
def test_onnx_answers_as_torch_does(case: Case, tmp_path: Path) -> None:
    inputs, _ = case.batch(7)
    postprocess = nn.Softmax(dim=1) if case.task == "classification" else nn.Flatten(0)
    model = served(nn.Sequential(nn.Identity(), case.network()), postprocess)
    signature = {"input": {"name": "x"}, "output": {"name": "y"}}
    export(model, signature, inputs[:2], tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", threads=1)
    for size in (1, 2, 7, 32):
        batch = case.batch(size)[0].numpy()
        with torch.inference_mode():
            expected = model(torch.from_numpy(batch)).numpy()
        np.testing.assert_allclose(session.run(batch), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(("architecture", "reference"), REFERENCES, ids=[reference.name for _, reference in REFERENCES])
def test_the_reference_has_its_published_number_of_parameters(architecture: Architecture, reference: Reference) -> None:
    config = architecture.configure(reference.hyperparameters)
    with torch.device("meta"):
        network = config.build(reference.input, reference.classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == reference.parameters


@pytest.mark.parametrize("architecture", registry.architectures(), ids=registry.names())
def test_every_hyperparameter_has_a_default_and_a_range_to_search(architecture: Architecture) -> None:
    schema = architecture.config.model_json_schema()
    assert schema["additionalProperties"] is False
    for name, field in schema["properties"].items():
        assert "default" in field, name
        assert "description" in field, name
        assert "choices" in field["search"] or field["search"]["low"] < field["search"]["high"], name


@pytest.mark.parametrize("architecture", registry.architectures(), ids=registry.names())
def test_searched_values_are_within_bounds(architecture: Architecture) -> None:
    for name, field in architecture.config.model_json_schema()["properties"].items():
        span = field["search"]
        for value in span.get("choices") or (span["low"], span["high"]):
            architecture.configure({name: value})


@pytest.mark.parametrize("architecture", registry.architectures(), ids=registry.names())
def test_a_config_builds_its_owner(architecture: Architecture) -> None:
    config: ArchitectureConfig = architecture.config()
    shape = IMAGE if architecture.modality == ("image",) else (prod(IMAGE),)
    assert type(config.build(shape, 2)) is architecture.module
