"""From a trained network to a model version: export, parity, scores and a verdict.

The scores are of the exported graph, run by ONNX Runtime: what is measured is what is served.
"""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from models.data import Examples, fitting
from models.export import OPSET, PARITY_BATCH_SIZES, export, parity, served
from models.inference import BATCH_SIZE, Session
from models.metrics.verdict import judge
from models.run import JobContext, Stopped
from models.training.plan import Plan


class Publication(NamedTuple):
    """A model version's record, the exported graph and the weights."""

    record: dict[str, Any]
    graph: Path
    weights: Path


def publish(context: JobContext, plan: Plan, network: nn.Module) -> Publication:
    """Export the network, prove the graph and score it on the held-out rows.

    Raises:
        ParityFailed: ONNX Runtime and torch disagree.
        Stopped: the user cancelled.
    """
    train = plan.splits["train"]
    samples = train.gather(torch.arange(min(len(train), PARITY_BATCH_SIZES[-1]))).inputs.cpu()
    graph, weights = context.scratch / "model.onnx", context.scratch / "weights.safetensors"
    save_file({name: value.cpu().contiguous() for name, value in network.state_dict().items()}, weights)
    model = served(network, plan.task.postprocess())
    signature = _signature(plan)
    export(model, signature, samples[:2], graph)
    session = Session(graph, context.threads)
    agreement = parity(model, session, samples.numpy(), plan.task.tolerance())
    context.report.log(f"ONNX agrees with torch within {agreement['max_abs_difference']:.2g}")
    record = {
        "architecture": plan.architecture.name,
        "hyperparameters": plan.config.model_dump(mode="json"),
        "training": plan.settings.model_dump(mode="json"),
        "task": plan.task.name,
        "signature": signature,
        "labels": plan.dataset.labels,
        **_scored(context, plan, session),
        "parity": agreement,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "opset": OPSET,
        "split": plan.settings.split.model_dump(),
        "dataset_digest": plan.dataset.manifest["digest"],
    }
    return Publication(record, graph, weights)


def _signature(plan: Plan) -> dict[str, Any]:
    return {
        "task": plan.task.name,
        "modality": plan.dataset.modality,
        "input": plan.dataset.input,
        "output": plan.task.output(),
        "labels": plan.dataset.labels,
    }


def _scored(context: JobContext, plan: Plan, session: Session) -> dict[str, Any]:
    """`metrics` of each split and of guessing on the test split, and the `verdict` that they lead to.

    The verdict is of the validation split, so that what is tried because of it leaves the test split untouched; of
    the training rows as many are measured, at random. Without held-out rows there is none to measure by.
    """
    metrics: dict[str, Any] = {
        name: _measure(context, plan, session, plan.splits[name]) if name in plan.splits else {}
        for name in ("test", "validation")
    }
    metrics["baseline"] = _guess(plan, "test") if "test" in plan.splits else {}
    metrics["train"], guess = {}, {}
    held_out = "validation" if "validation" in plan.splits else "test"
    if held_out in plan.splits:
        train, count = plan.splits["train"], len(plan.splits[held_out])
        rows = torch.randperm(len(train), generator=torch.Generator().manual_seed(0))[:count]
        metrics["train"] = _measure(context, plan, session, train, rows)
        guess = _guess(plan, held_out)
    main = plan.task.main_metric
    return {"metrics": metrics, "verdict": judge(main, metrics["train"], metrics[held_out], guess, held_out)}


def _measure(
    context: JobContext, plan: Plan, session: Session, examples: Examples, rows: Tensor | None = None
) -> dict[str, Any]:
    """The graph's metrics on the examples at these places, or on all."""

    def obey_cancel(rows: int) -> None:
        if context.report.wish() == "cancel":
            raise Stopped("cancel")

    rows = torch.arange(len(examples)) if rows is None else rows
    size = fitting(BATCH_SIZE, plan.dataset.input["shape"])
    batches = (examples.gather(index).inputs.cpu().numpy() for index in torch.split(rows, size))
    answers = session.run_all(batches, obey_cancel, plan.task.read)
    targets = examples.targets.cpu().numpy()[rows.numpy()]
    return plan.task.measure(targets, answers, plan.dataset.labels, plan.num_inputs)


def _guess(plan: Plan, split: str) -> dict[str, Any]:
    """The metrics on a split of answers that look at no input."""
    examples = plan.splits[split]
    answers = plan.task.guess(plan.splits["train"].targets.cpu().numpy(), len(examples), plan.task.num_outputs)
    return plan.task.measure(examples.targets.cpu().numpy(), answers, plan.dataset.labels, plan.num_inputs)
