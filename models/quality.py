"""The quality of drawn examples in the eyes of a small classifier that is trained on the same rows.

It is LeNet-5 for images and a multilayer perceptron for tables, trained for some thousand steps and thrown away. The
Fréchet distance is of the features before its last layer, where what matters to the classes is told apart. It depends
on the data set and on how many examples are compared, so that it says something beside `frechet_floor` only: the same
distance of as many training rows, which no generator can be expected to beat.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models import registry
from models.errors import JobError
from models.examples import Examples, fitting
from models.generative.network import parts_of
from models.hooks import watched
from models.metrics.classification import class_frequencies
from models.metrics.generation import classes_found, diversity, frechet_distance
from models.run import Reporter, Stopped
from models.tasks.base import Task
from models.tasks.classification import Classification
from models.training.callbacks import Callback
from models.training.plan import Plan
from models.training.settings import training_settings
from models.training.trainer import Trainer, seed_everything

if TYPE_CHECKING:  # which imports this module
    from models.tasks.generative import Generative

Array = NDArray[Any]

JUDGES = {"image": "lenet", "tabular": "mlp"}
STEPS = 2000
"""Of the judge's training, about."""
MAX_EPOCHS = 30
BATCH_SIZE = 64
MAX_EXAMPLES = 10_000
"""Real and drawn examples that are compared at most."""
COMPARED = 512
"""Of them those whose distances from each other are measured."""


class Seen(NamedTuple):
    """What the judge makes of examples."""

    features: Array
    """(N, F) in float32."""
    classes: Array
    """(N,), the most likely ones."""
    compared: Array
    """The first of the examples (n, ...) themselves, standardised."""


def quality_of(plan: Plan, network: nn.Module, report: Reporter) -> dict[str, Any]:
    """How what `network` draws compares with held-out rows, or why that is `absent`.

    Raises:
        Stopped: the user cancelled.
    """
    if plan.dataset.manifest["task"] != "classification":
        return {"absent": "The data set has no classes, so there is no classifier to compare by."}
    try:
        judge = Judge.of(plan, report)
    except JobError as error:
        return {"absent": f"There is no classifier to compare by. {error.detail}"}
    held_out = next(plan.splits[name] for name in ("test", "validation", "train") if name in plan.splits)
    count = min(len(held_out), len(plan.splits["train"]), MAX_EXAMPLES)
    real, train = (_rows(examples, count) for examples in (held_out, plan.splits["train"]))
    labels = held_out.targets[real].cpu() if plan.config.needs_classes else None
    drawn = judge.see(_drawn(plan.task, network, labels, count))
    known = judge.see(_batches(held_out, real))
    floor = {}
    if held_out is not plan.splits["train"]:
        learned = judge.see(_batches(plan.splits["train"], train))
        floor = {"frechet_floor": frechet_distance(learned.features, known.features)}
    return _compared(plan.dataset.labels or [], drawn, known, labels) | {
        **floor,
        "examples": count,
        "judge": {"architecture": JUDGES[plan.dataset.modality], "accuracy": judge.accuracy(held_out, real, known)},
    }


def _compared(names: list[str], drawn: Seen, known: Seen, labels: Tensor | None) -> dict[str, Any]:
    shares, real_shares = (class_frequencies(seen.classes, len(names)) for seen in (drawn, known))
    pair = None
    if labels is not None:
        asked = labels.numpy()
        pair = asked[: len(drawn.compared)], asked[: len(known.compared)]
    scores: dict[str, Any] = {
        "frechet_distance": frechet_distance(drawn.features, known.features),
        "diversity": diversity(drawn.compared, known.compared, pair),
        "classes": int((real_shares > 0).sum()),
        "classes_found": classes_found(shares, real_shares),
        "class_shares": dict(zip(names, shares.tolist(), strict=True)),
    }
    if labels is not None:
        scores["asked_class"] = float((drawn.classes == labels.numpy()).mean())
    return scores


@dataclass(frozen=True)
class Judge:
    """A trained classifier."""

    network: nn.Sequential
    device: torch.device

    @classmethod
    def of(cls, plan: Plan, report: Reporter) -> "Judge":
        """One trained on the rows that the plan's generator was trained on."""
        steps_per_epoch = ceil(len(plan.splits["train"]) / BATCH_SIZE)
        training = {
            "epochs": min(MAX_EPOCHS, ceil(STEPS / steps_per_epoch)),
            "batch_size": BATCH_SIZE,
            "optimizer": {"name": "adam", "learning_rate": 0.002},
            "scheduler": {"name": "cosine"},
        }
        architecture = registry.get(JUDGES[plan.dataset.modality])
        config = architecture.configure({})
        loss = Classification.default_loss
        Classification.require_suitable(plan.dataset, plan.splits, loss, config)
        judging = replace(
            plan,
            architecture=architecture,
            config=config,
            settings=training_settings(training),
            compute=replace(plan.compute, precision="float32"),
            task=Classification.of(config, plan.dataset, plan.splits["train"], loss),
        )
        seed_everything(0)
        network = judging.network()
        train = judging.splits["train"]
        Trainer(network, judging.task, train, None, judging.settings, judging.compute, [_ObeyCancel(report)]).fit()
        return cls(network.eval(), judging.compute.device)

    @torch.inference_mode()
    def see(self, batches: Iterator[Tensor]) -> Seen:
        """The features and classes of raw inputs (N, ...), batch by batch."""
        features: list[Array] = []
        last = [layer for layer in self.network.modules() if isinstance(layer, nn.Linear)][-1]
        classes: list[Array] = []
        compared: list[Array] = []
        with watched([("last", last)], lambda name, layer, inputs, output: features.append(inputs[0].cpu().numpy())):
            for batch in batches:
                inputs = batch.to(self.device)
                classes.append(self.network(inputs).argmax(dim=1).cpu().numpy())
                if sum(map(len, compared)) < COMPARED:
                    compared.append(self.network[0](inputs).cpu().numpy())
        return Seen(*map(np.concatenate, (features, classes, compared)))

    @staticmethod
    def accuracy(examples: Examples, rows: Tensor, seen: Seen) -> float:
        """The share of these rows that is given the right class."""
        return float((seen.classes == examples.targets[rows].cpu().numpy()).mean())


class _ObeyCancel(Callback):
    def __init__(self, report: Reporter) -> None:
        self.report = report

    def on_step(self, trainer: Trainer) -> None:
        if self.report.wish() == "cancel":
            raise Stopped("cancel")


def _rows(examples: Examples, count: int) -> Tensor:
    return torch.randperm(len(examples), generator=torch.Generator().manual_seed(0))[:count]


def _batches(examples: Examples, rows: Tensor) -> Iterator[Tensor]:
    shape = examples.gather(rows[:1]).inputs.shape[1:]
    for index in torch.split(rows, fitting(BATCH_SIZE, shape)):
        yield examples.gather(index).inputs


@torch.inference_mode()
def _drawn(task: Task, network: nn.Module, labels: Tensor | None, count: int) -> Iterator[Tensor]:
    """As many examples as are asked for, as they are served, of seeded codes and of these labels."""
    sampler, generator = cast("Generative", task).sampler(network).eval(), torch.Generator().manual_seed(0)
    _, generative = parts_of(network)
    device = next(network.parameters()).device
    for index in torch.split(torch.arange(count), BATCH_SIZE):
        codes = torch.randn(len(index), generative.code_dim, generator=generator).to(device)
        yield sampler(codes) if labels is None else sampler(codes, labels[index].to(device))
