"""What every registered architecture must do. A new one is tested without a test being written.

What those must do whose answers are like their inputs is in `test_generative_contract`.
"""

from collections.abc import Callable
from math import prod
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
from models.inference import Session
from models.registry import Architecture, ArchitectureConfig, Reference, Shape
from models.tasks import TASKS, Task
from models.tasks.supervised import Supervised
from models.treebank import forest
from models.windows import Windowing
from shapes.tokens import END, Tokenizer

IMAGE: Shape = (1, 28, 28)
TABLE: Shape = (6,)
TEXT: Shape = (9,)
"""Nine different tokens."""
SERIES: Shape = (0, 3)
"""Three numbers at each step."""
STEPS = 5
COLUMNS = [{"name": role, "kind": "numeric", "role": role} for role in ("target", "past", "known_ahead")]
TIME = {"unit": "index", "step": 1}
NUM_CLASSES = 3


TARGETS: dict[str, Callable[[Tensor], Tensor]] = {
    "classification": lambda inputs: torch.arange(len(inputs)) % NUM_CLASSES,
    "regression": lambda inputs: torch.arange(len(inputs)) % NUM_CLASSES / 1.0,
    "tagging": lambda inputs: (inputs.abs() if inputs.ndim == 2 else inputs.abs().sum(dim=2)).long() % NUM_CLASSES,
    "forecasting": lambda inputs: torch.stack([inputs[:, 2, 0], -inputs[:, 2, 0], torch.ones(len(inputs))], dim=1),
    "segmentation": lambda inputs: sum(inputs[:, 0] > edge for edge in (-0.5, 0.5)).to(torch.uint8),  # type: ignore[union-attr]
    "translation": lambda inputs: torch.cat([inputs[:, :3].flip(1) + END, torch.full_like(inputs[:, :1], END)], dim=1),
}
"""For each task, targets that are a function of the inputs or of their place."""


class Case(NamedTuple):
    """An architecture with one kind of input."""

    architecture: Architecture
    modality: str
    task: str

    @property
    def input_shape(self) -> Shape:
        series = SERIES if "text" in self.architecture.modality else (STEPS, *SERIES[1:])
        shapes = {"image": IMAGE, "tabular": TABLE, "text": TEXT, "tree": TEXT, "series": series}
        return shapes[self.modality]

    def batch(self, size: int) -> Batch:
        generator = torch.Generator().manual_seed(1)
        if self.modality == "text":
            inputs = torch.randint(1, TEXT[0], (size, 5), generator=generator)
        elif self.modality == "tree":
            inputs = torch.from_numpy(forest(size, 9, np.arange(1, TEXT[0])))
        elif self.modality == "series":
            inputs = torch.randn(size, STEPS, *SERIES[1:], generator=generator)
        else:
            inputs = torch.randn(size, *self.input_shape, generator=generator)
        return Batch(inputs, TARGETS[self.task](inputs))

    def fitted(self) -> Task:
        """The task as a training job has it."""
        inputs, targets, _ = self.batch(12)
        train = Examples(inputs.numpy(), targets.numpy(), np.arange(len(inputs)))
        return TASKS[self.task](self.dataset, train, TASKS[self.task].default_loss)

    @property
    def dataset(self) -> DataSet:
        if self.task == "forecasting":
            windowing = Windowing(context=3, horizon=2, season=1, columns=COLUMNS)
            return DataSet(Path(), {"input": {"columns": COLUMNS, "time": TIME}}, windowing=windowing)
        manifest: dict[str, Any] = {"input": {}, "classes": None if self.task == "regression" else list("abc")}
        return DataSet(Path(), manifest, None, Tokenizer("characters", 9, tuple("abcdefghi"), marked=True))

    def network(self) -> nn.Module:
        torch.manual_seed(0)
        config, task = self.architecture.configure({}), self.fitted()
        built = task.build(config, self.dataset.input, self.input_shape, task.num_outputs)
        return nn.Sequential(nn.Identity(), built)

    def described(self) -> dict[str, Any]:
        """The manifest's input."""
        varies = self.modality == "text" or (self.input_shape[0] == 0 and self.task != "forecasting")
        return {"name": "x", "shape": [None, *self.input_shape[1:]] if varies else list(self.input_shape)}

    def loss(self, network: nn.Module, size: int = 12) -> Tensor:
        (phase,) = self.fitted().phases(network)
        return phase.step(self.batch(size))["loss"]


CASES = [
    Case(architecture, modality, task)
    for architecture in registry.architectures()
    for modality in architecture.modality
    for task in architecture.tasks
    if TASKS[task].needs_targets and (task != "forecasting" or modality == "series")
]
OF_IMAGES = sorted({case.architecture.name for case in CASES if case.modality == "image"})
REFERENCES = [
    (architecture, reference) for architecture in registry.architectures() for reference in architecture.references
]

every_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.architecture.name}-{case.modality}-{case.task}" for case in CASES]
)


@every_case
@pytest.mark.parametrize("size", [1, 5])
def test_an_answer_of_the_tasks_shape_for_each_input(case: Case, size: int) -> None:
    task = case.fitted()
    assert isinstance(task, Supervised)
    answers = task.answering(case.network().eval())(case.batch(size).inputs)
    answers = answers[0] if isinstance(answers, tuple) else answers
    assert len(answers) == size
    assert all(wanted in (None, found) for wanted, found in zip(task.output()["shape"], answers.shape[1:], strict=True))
    assert answers.isfinite().all()


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
    """By steps of bounded length, which suit networks of ten weights and of ten million alike."""
    network = case.network()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, fused=True)
    losses: list[float] = []
    while len(losses) < 300 and (not losses or losses[-1] >= 0.1 * losses[0]):
        optimizer.zero_grad()
        loss = case.loss(network, NUM_CLASSES)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]


@every_case
def test_onnx_answers_as_torch_does(case: Case, tmp_path: Path) -> None:
    for name, graph in case.fitted().graphs(case.network(), case.described(), case.batch(32)).items():
        export(graph, {}, tmp_path / f"{name}.onnx")
        parity(graph, Session(tmp_path / f"{name}.onnx", threads=1))


@pytest.mark.parametrize(("architecture", "reference"), REFERENCES, ids=[reference.name for _, reference in REFERENCES])
def test_the_reference_has_its_published_number_of_parameters(architecture: Architecture, reference: Reference) -> None:
    config = architecture.configure(reference.hyperparameters)
    with torch.device("meta"):
        network = config.build(reference.input, reference.classes)
    assert sum(parameter.numel() for parameter in network.parameters()) == reference.parameters


@pytest.mark.parametrize("name", OF_IMAGES)
@pytest.mark.filterwarnings("ignore:Initializing zero-element tensors")
def test_the_smallest_side_is_the_fewest_pixels_that_it_can_bear(name: str) -> None:
    architecture = registry.get(name)
    config, side = architecture.configure({}), architecture.smallest_side
    for shape in ((1, side, side), (1, side, 2 * side + 1), (3, 2 * side + 1, side)):
        assert config.build(shape, 2).eval()(torch.zeros(2, *shape)).shape[:2] == (2, 2)
    if side > 1:
        below = (1, side - 1, side)
        with pytest.raises(UnsuitableInput, match=f"at least {side}×{side} pixels; these are {side - 1}×{side}"):
            config.build(below, 2)
        with pytest.raises(RuntimeError):
            architecture.module(config, below, 2).eval()(torch.zeros(2, *below))


@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("name", OF_IMAGES)
def test_colour_images_small_and_large_are_taken(name: str, side: int) -> None:
    with torch.device("meta"):
        network = registry.get(name).configure({}).build((3, side, side), 10)
        assert network(torch.zeros(2, 3, side, side)).shape[:2] == (2, 10)


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
