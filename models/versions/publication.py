"""From a trained network to a model version: export, parity, scores and a verdict.

The scores are of the exported graph, run by ONNX Runtime: what is measured is what is served.
"""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.baselines.standing import standing
from models.examples import Examples, fitting
from models.export import OPSET, PARITY_BATCH_SIZES, export, parity
from models.graphs import Graph, on_cpu
from models.inference import BATCH_SIZE, Session
from models.metrics import Array
from models.metrics.verdict import judge
from models.run import JobContext, ProducedFile, Stopped
from models.training.plan import Plan


class Publication(NamedTuple):
    """A model version's record, the exported graphs by name and the weights."""

    record: dict[str, Any]
    graphs: dict[str, Path]
    weights: Path

    @property
    def files(self) -> tuple[ProducedFile, ...]:
        """What the version's job leaves of it."""
        paths = (*self.graphs.values(), self.weights)
        return tuple(ProducedFile(path.name, path, "application/octet-stream") for path in paths)


def publish(context: JobContext, plan: Plan, network: nn.Module) -> Publication:
    """Export the network, prove its graphs and score the main one on the held-out rows.

    Raises:
        ParityFailed: ONNX Runtime and torch disagree.
        Stopped: the user cancelled.
    """
    train = plan.splits["train"]
    samples = train.gather(train.representatives(PARITY_BATCH_SIZES[-1]))
    weights = context.scratch / "weights.safetensors"
    save_file({name: value.cpu().contiguous() for name, value in network.state_dict().items()}, weights)
    network = on_cpu(network)
    graphs = plan.task.graphs(network, plan.dataset.input, samples.to("cpu"))
    signature = _signature(plan, graphs["model"])
    paths = {name: context.scratch / f"{name}.onnx" for name in graphs}
    proven = {name: _prove(context, graph, signature, paths[name]) for name, graph in graphs.items()}
    takes_rows = graphs["model"].inputs[0] == plan.dataset.input
    scored = _scored(context, plan, network, proven["model"].session if takes_rows else None)
    record = {
        "architecture": plan.architecture.name,
        "hyperparameters": plan.config.model_dump(mode="json"),
        "training": plan.settings.model_dump(mode="json"),
        "task": plan.task.name,
        "signature": signature,
        "labels": plan.task.labels,
        **scored,
        "baselines": standing(context.baselines, plan.task, scored["metrics"]),
        "parity": proven["model"].described["parity"],
        "graphs": {name: each.described for name, each in proven.items()},
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "opset": OPSET,
        "split": plan.settings.split.model_dump(),
        "dataset_digest": plan.dataset.manifest["digest"],
    }
    return Publication(record, paths, weights)


def _signature(plan: Plan, main: Graph) -> dict[str, Any]:
    return {
        "task": plan.task.name,
        "modality": plan.dataset.modality,
        "input": main.inputs[0],
        "output": main.outputs[0],
        "labels": plan.task.labels,
    }


class _Proven(NamedTuple):
    """An exported graph: what it takes and gives with its `parity`, and ONNX Runtime's session of it."""

    described: dict[str, Any]
    session: Session


def _prove(context: JobContext, graph: Graph, signature: dict[str, Any], path: Path) -> _Proven:
    """Export a graph, and see how nearly ONNX Runtime and torch agree on it."""
    if path.stem != "model":
        signature = {name: signature[name] for name in ("task", "modality", "labels")} | graph.described
    export(graph, signature, path)
    session = Session(path, context.threads)
    agreement = parity(graph, session)
    context.report.log(f"{path.stem}: ONNX agrees with torch within {agreement['max_abs_difference']:.2g}")
    return _Proven({**graph.described, "parity": agreement}, session)


def _scored(context: JobContext, plan: Plan, network: nn.Module, session: Session | None) -> dict[str, Any]:
    """`metrics` of each split and of guessing on the test split, the `verdict` that they lead to, and `calibration`.

    The verdict is of the validation split, so that what is tried because of it leaves the test split untouched; of
    the training rows as many are measured, at random. Without held-out rows there is none to measure by.
    Calibrated is on the validation rows for the same reason, and not at all without them. Without a session, since
    the graph takes no rows, there is only what the task measures of the network itself.
    """
    answered = {
        name: _answered(context, plan, session, plan.splits[name])
        for name in ("test", "validation")
        if session is not None and name in plan.splits
    }
    metrics: dict[str, Any] = {
        name: _measure(plan, *answered[name]) if name in answered else {} for name in ("test", "validation")
    }
    metrics["baseline"] = _guess(plan, network, "test") if "test" in answered else {}
    metrics["train"], guess = {}, {}
    held_out = "validation" if "validation" in plan.splits else "test"
    if session is not None and held_out in answered:
        train, count = plan.splits["train"], len(plan.splits[held_out])
        rows = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:count]
        metrics["train"] = _measure(plan, *_answered(context, plan, session, train, rows))
        guess = _guess(plan, network, held_out)
    recorded = plan.task.recorded(plan, network, {name: answers for name, (_, answers) in answered.items()})
    for name, measured in plan.task.quality(plan, network, context.report).items():
        metrics[name] = metrics.get(name, {}) | measured
    return {
        "metrics": metrics,
        "verdict": judge(plan.task.main_metric, metrics["train"], metrics[held_out], guess, held_out),
        "calibration": plan.task.calibrate(*answered["validation"]) if "validation" in answered else None,
        **recorded,
    }


def _answered(
    context: JobContext, plan: Plan, session: Session, examples: Examples, rows: Tensor | None = None
) -> tuple[Array, Array]:
    """The targets of the examples at these places, or of all, and the graph's answers."""

    def obey_cancel(rows: int) -> None:
        if context.report.wish() == "cancel":
            raise Stopped("cancel")

    rows = torch.arange(len(examples)) if rows is None else rows
    size = fitting(BATCH_SIZE, examples.input_shape)
    batches = (examples.gather(index) for index in torch.split(rows, size))
    asked = (
        plan.task.asked(batch.inputs.cpu().numpy(), batch.targets.cpu().numpy(), plan.task.labels) for batch in batches
    )
    read = partial(plan.task.read, output=plan.task.output())
    return plan.dataset.truth(examples)[rows.numpy()], session.run_all(asked, obey_cancel, read)


def _measure(plan: Plan, targets: Array, answers: Array) -> dict[str, Any]:
    return plan.task.measure(targets, answers, plan.task.labels, plan.dataset.num_inputs)


def _guess(plan: Plan, network: nn.Module, split: str) -> dict[str, Any]:
    """The metrics on a split of answers that look at no input."""
    targets = plan.dataset.truth(plan.splits[split])
    return _measure(plan, targets, plan.task.guessed(plan, network, split))
