"""The `train` job: from a data set to a network that is exported, proven and scored."""

import json
from time import monotonic

import torch
from torch import nn

from models import checkpoint
from models.callbacks import Callback, Checkpointing, KeepBest, Reporting, StopEarly
from models.data import DataSet
from models.plan import Plan
from models.publication import publish
from models.run import JobContext, Outcome, ProducedFile, given
from models.trainer import Trainer, seed_everything


def run(context: JobContext) -> Outcome:
    """Train, export to ONNX with parity, and score the exported graph on the held-out rows.

    A checkpoint of an earlier attempt is taken up where it was saved.

    Raises:
        JobError: the request or the data cannot be trained with, training diverged, or parity failed.
        Stopped: the user cancelled or paused.
    """
    torch.set_num_threads(context.threads)
    plan = Plan.of(context.request, DataSet.open(given(context.dataset)))
    seed_everything(plan.settings.seed)
    network = plan.network()
    best = KeepBest()
    trainer = _trainer(context, plan, network, best)
    context.report.log(
        f"training {plan.architecture.name} on {plan.compute.device.type} in {plan.compute.precision}, rows: "
        + ", ".join(f"{count:,} for {split}" for split, count in plan.rows.items())
    )
    first_step, started_at = trainer.step, monotonic()
    trainer.fit()
    seconds = monotonic() - started_at
    samples = (trainer.step - first_step) * len(plan.splits["train"]) / trainer.steps_per_epoch
    version = publish(context, plan, network)
    metrics = version.record["metrics"]
    result = {
        "model": context.request["model"],
        "metrics": metrics["test"],
        "baseline": metrics["baseline"],
        "validation": metrics["validation"],
        "epochs": trainer.epoch,
        "best_epoch": best.epoch or trainer.epoch,
        "steps": trainer.step,
        "parameters": version.record["parameters"],
        "samples_per_second": samples / max(seconds, 1e-9),
        "device": plan.compute.device.type,
        "precision": plan.compute.precision,
        "stopped_early": trainer.stopped_early,
    }
    report = context.scratch / "report.json"
    report.write_text(json.dumps({"result": result, "version": version.record, "rows": plan.rows}, indent=2))
    files = (
        ProducedFile("model.onnx", version.graph, "application/octet-stream"),
        ProducedFile("weights.safetensors", version.weights, "application/octet-stream"),
        ProducedFile("report.json", report, "application/json"),
    )
    return Outcome(result, files, version=version.record)


def _trainer(context: JobContext, plan: Plan, network: nn.Module, best: KeepBest) -> Trainer:
    """The trainer, at this job's newest checkpoint if there is one."""
    callbacks: list[Callback] = [Reporting(context.report), best]
    if plan.settings.early_stopping is not None:
        callbacks.append(StopEarly(plan.settings.early_stopping))
    callbacks.append(Checkpointing(context.checkpoints, context.checkpoint_interval_seconds, context.report))
    trainer = Trainer(
        network,
        plan.task,
        plan.splits["train"],
        plan.splits.get("validation"),
        plan.settings,
        plan.compute,
        callbacks,
    )
    saved = checkpoint.newest(context.checkpoints)
    if saved is not None:
        trainer.load_state_dict(saved)
        context.report.log(f"resumed after step {trainer.step}")
    return trainer
