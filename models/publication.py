"""From a trained network to a model version: export, parity and scores.

The scores are of the exported graph, run by ONNX Runtime: what is measured is what is served.
"""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save_file
from torch import nn

from models.export import OPSET, PARITY_BATCH_SIZES, export, parity, served
from models.inference import BATCH_SIZE, Session
from models.metrics import guess, score
from models.plan import Plan
from models.run import JobContext, Stopped


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
        "metrics": {
            "test": _score(context, plan, session, "test"),
            "baseline": _baseline(plan),
            "validation": _score(context, plan, session, "validation"),
        },
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


def _score(context: JobContext, plan: Plan, session: Session, split: str) -> dict[str, Any]:
    """The graph's metrics on a split; empty if there is no such split."""
    examples = plan.splits.get(split)
    if examples is None:
        return {}

    def obey_cancel(rows: int) -> None:
        if context.report.wish() == "cancel":
            raise Stopped("cancel")

    batches = (batch.inputs.cpu().numpy() for batch in examples.batches(BATCH_SIZE))
    answers = session.run_all(batches, obey_cancel)
    return score(plan.task.name, examples.targets.cpu().numpy(), answers, plan.dataset.labels, plan.num_inputs)


def _baseline(plan: Plan) -> dict[str, Any]:
    """The metrics on the test split of answers that look at no input."""
    test = plan.splits.get("test")
    if test is None:
        return {}
    answers = guess(plan.task.name, plan.splits["train"].targets.cpu().numpy(), len(test), plan.task.num_outputs)
    return score(plan.task.name, test.targets.cpu().numpy(), answers, plan.dataset.labels, plan.num_inputs)
