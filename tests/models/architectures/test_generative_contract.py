"""What every architecture must do that makes samples or codes. A new one is tested without a test being written."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models import registry
from models.data import DataSet
from models.errors import UnsuitableInput
from models.examples import Batch, Examples
from models.export import export, parity
from models.generative.network import CodingNetwork, GenerativeNetwork, parts_of
from models.graphs import on_cpu
from models.inference import Session
from models.preprocess import moments, preprocess_for
from models.registry import Architecture
from models.tasks import TASKS, Task

IMAGE: dict[str, Any] = {"name": "image", "dtype": "uint8", "shape": [1, 28, 28]}
COLUMNS: list[dict[str, Any]] = [{"name": f"x{place}", "kind": "numeric"} for place in range(5)]
COLUMNS.append({"name": "colour", "kind": "categorical", "categories": ["red", "green", "blue"]})
TABLE: dict[str, Any] = {"name": "features", "dtype": "float32", "shape": [6], "columns": COLUMNS}
NUM_CLASSES = 3
OF_IMAGES = [
    architecture
    for architecture in registry.architectures()
    if "image" in architecture.modality and not TASKS[architecture.tasks[0]].needs_targets
]


class Case(NamedTuple):
    """An architecture with one kind of input, told the class or not."""

    architecture: Architecture
    modality: str
    conditional: bool

    @property
    def described(self) -> dict[str, Any]:
        return IMAGE if self.modality == "image" else TABLE

    def batch(self, size: int) -> Batch:
        """Images of a bright square somewhere, or rows; the class is where it is, or the colour."""
        generator = np.random.default_rng(1)
        classes = np.arange(size) % NUM_CLASSES
        if self.modality == "image":
            images = generator.integers(0, 60, (size, 1, 28, 28), dtype=np.uint8)
            for place, label in enumerate(classes):
                images[place, 0, 8 * label : 8 * label + 10, 8 : 8 + 4 * (1 + place % 4)] = 220
            return Batch(torch.from_numpy(images), torch.from_numpy(classes))
        rows = generator.normal(5.0, 2.0, (size, 6)).astype(np.float32)
        rows[:, 5] = classes
        return Batch(torch.from_numpy(rows), torch.from_numpy(classes))

    def fitted(self) -> tuple[Task, nn.Sequential]:
        """The task and a network, as a training job has them."""
        torch.manual_seed(0)
        batch = self.batch(32)
        config = self.architecture.configure({"conditional": True} if self.conditional else {})
        manifest = {"classes": list("abc"), "input": self.described, "modality": self.modality}
        train = Examples(batch.inputs.numpy(), batch.targets.numpy(), np.arange(32))
        task = TASKS[self.architecture.tasks[0]].of(config, DataSet(Path(), manifest), train, None)
        preprocess = preprocess_for(self.described, self.modality, *moments(train, self.modality), task.pixels)
        return task, nn.Sequential(preprocess, config.build(preprocess.output_shape, task.num_outputs))


CASES = [
    Case(architecture, modality, conditional)
    for architecture in registry.architectures()
    if not TASKS[architecture.tasks[0]].needs_targets
    for modality in architecture.modality
    for conditional in ([False, True] if "conditional" in architecture.config.model_fields else [False])
]
every_case = pytest.mark.parametrize(
    "case",
    CASES,
    ids=[f"{case.architecture.name}-{case.modality}{'-conditional' * case.conditional}" for case in CASES],
)


def codes_of(network: nn.Sequential, size: int) -> tuple[Tensor, ...]:
    """Codes, and classes if the network is told them."""
    _, generative = parts_of(network)
    codes = torch.randn(size, generative.code_dim, generator=torch.Generator().manual_seed(0))
    return (codes, torch.arange(size) % NUM_CLASSES) if generative.num_classes else (codes,)


@every_case
@pytest.mark.parametrize("size", [1, 5])
def test_a_sample_like_the_input_for_each_code(case: Case, size: int) -> None:
    task, network = case.fitted()
    values = parts_of(network.eval())[1].decode(*codes_of(network, size))
    assert values.shape == (size, *parts_of(network)[0].output_shape)
    assert values.isfinite().all()
    if case.modality == "image":
        assert values.min() >= 0
        assert values.max() <= 1
    sample = task.sampler(network)(*codes_of(network, size))  # type: ignore[attr-defined]
    assert sample.shape == (size, *case.described["shape"])
    assert sample.dtype == getattr(torch, case.described["dtype"])


@every_case
def test_every_parameter_gets_a_gradient_from_some_phase(case: Case) -> None:
    task, network = case.fitted()
    found: set[str] = set()
    for phase in task.phases(network):
        network.zero_grad()
        phase.step(case.batch(12))["loss"].backward()  # type: ignore[no-untyped-call]
        ours = {id(parameter) for parameter in phase.parameters}
        for name, parameter in network.named_parameters():
            if id(parameter) in ours and parameter.grad is not None and parameter.grad.any():
                assert parameter.grad.isfinite().all(), name
                found.add(name)
    assert found == {name for name, _ in network.named_parameters()}


@every_case
def test_what_a_network_with_an_encoder_is_given_it_learns_to_give_again(case: Case) -> None:
    task, network = case.fitted()
    if not isinstance(network[1], CodingNetwork):
        return
    batch = case.batch(6)
    (phase,) = task.phases(network)
    optimizer = torch.optim.Adam(phase.parameters, lr=0.01)
    x = network[0](batch.inputs)
    for _ in range(200):
        optimizer.zero_grad()
        phase.step(batch)["loss"].backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    labels = batch.targets if case.conditional else None
    error = (network.eval()[1](x, labels) - x).square().mean()
    assert error < 0.7 * (x - x.mean(dim=0)).square().mean()


@every_case
def test_every_graph_answers_as_torch_does(case: Case, tmp_path: Path) -> None:
    task, network = case.fitted()
    graphs = task.graphs(on_cpu(network), case.described, case.batch(32))
    encodes = isinstance(network[1], CodingNetwork)
    assert list(graphs) == (["model", "encoder", "decoder"] if encodes else ["model", "decoder"])
    for name, graph in graphs.items():
        path = tmp_path / f"{name}.onnx"
        export(graph, {}, path)
        report = parity(graph, Session(path, 1))
        assert report["max_abs_difference"] <= report["tolerance"]
        told = [each["name"] for each in graph.inputs if each["name"] == "label"]
        assert told == (["label"] if case.conditional else [])


@pytest.mark.parametrize("architecture", OF_IMAGES, ids=lambda each: each.name)
def test_the_smallest_side_is_the_fewest_pixels_that_it_can_bear(architecture: Architecture) -> None:
    config, side = architecture.configure({}), architecture.smallest_side
    for shape in ((1, side, side), (1, side, 2 * side + 1), (3, 2 * side + 1, side)):
        network = config.build(shape, 0).eval()
        assert isinstance(network, GenerativeNetwork)
        assert network.decode(torch.zeros(2, network.code_dim)).shape == (2, *shape)
    if side > 1:
        with pytest.raises(UnsuitableInput, match=f"at least {side}×{side} pixels; these are {side - 1}×{side}"):
            config.build((1, side - 1, side), 0)


@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("architecture", OF_IMAGES, ids=lambda each: each.name)
def test_colour_images_small_and_large_are_made(architecture: Architecture, side: int) -> None:
    with torch.device("meta"):
        network = architecture.configure({}).build((3, side, side), 0)
        assert isinstance(network, GenerativeNetwork)
        samples = network.decode(torch.zeros(2, network.code_dim))
    assert samples.shape == (2, 3, side, side)
