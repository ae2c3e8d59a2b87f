"""The `train` job: from a data set to a network that is exported, proven and scored."""

from typing import Any

import torch

from models.baselines.standing import sentence
from models.data import DataSet
from models.errors import TrainingDiverged
from models.run import JobContext, Outcome, given
from models.training.plan import Plan
from models.training.training import Training
from models.versions.publication import publish


def run(context: JobContext) -> Outcome:
    """Train, export to ONNX with parity, and score the exported graph on the held-out rows.

    A checkpoint of an earlier attempt is taken up where it was saved.

    Raises:
        JobError: the request or the data cannot be trained with, training diverged, or parity failed.
        Stopped: the user cancelled or paused.
    """
    torch.set_num_threads(context.threads)
    return train(context, Plan.of(context.request, DataSet.open(given(context.dataset))))


def train(context: JobContext, plan: Plan) -> Outcome:
    """Carry out a plan: `run` says how."""
    watching = plan.task.watching(context, plan)
    training = Training.of(plan, context.report, context.checkpoints, context.checkpoint_interval_seconds, watching)
    context.report.log(
        f"training {plan.architecture.name} on {plan.compute.device.type} in {plan.compute.precision}, rows: "
        + ", ".join(f"{count:,} for {split}" for split, count in plan.rows.items())
    )
    if num_cut := plan.num_cut:
        context.report.log(
            f"{num_cut:,} of {plan.rows['train']:,} training texts have more units than `hyperparameters.max_length`,"
            " and are read only so far",
            level="warning",
        )
    if plan.compute.is_emulated:
        context.report.log("this processor has no instructions for bfloat16: float32 will be faster", level="warning")
    if training.trainer.step:
        context.report.log(f"resumed after step {training.trainer.step}")
    try:
        samples_per_second = training.fit()
    except TrainingDiverged:
        for callback in watching:
            callback.findings({})  # which tell the job's log what went wrong
        raise
    version = publish(context, plan, training.network)
    findings: dict[str, Any] = {}
    for callback in watching:
        findings |= callback.findings(version.record["metrics"])
    version.record.update(findings)
    verdict = version.record["verdict"]
    context.report.log(f"verdict: {verdict['fit']}. {verdict['detail']}")
    if (comparison := sentence(version.record["baselines"])) is not None:
        context.report.log(comparison)
    result = {
        "model": context.request["model"],
        **_result(training, version.record),
        **findings,
        "samples_per_second": samples_per_second,
    }
    files = (
        *version.files,
        context.write_report({"result": result, "version": version.record, "rows": plan.rows}),
    )
    return Outcome(result, files, version=version.record)


def _result(training: Training, record: dict[str, Any]) -> dict[str, Any]:
    """How the training went and what its version's record says of it."""
    trainer, compute, metrics = training.trainer, training.plan.compute, record["metrics"]
    return {
        "metrics": metrics["test"],
        "baseline": metrics["baseline"],
        "baselines": record["baselines"],
        "validation": metrics["validation"],
        "train": metrics["train"],
        **({"generation": metrics["generation"]} if "generation" in metrics else {}),
        "verdict": record["verdict"],
        "epochs": trainer.epoch,
        "best_epoch": training.best_epoch,
        "steps": trainer.step,
        "parameters": record["parameters"],
        "device": compute.device.type,
        "precision": compute.precision,
        "stopped_early": trainer.stopped_early,
    }
