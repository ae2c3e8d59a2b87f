"""The `diagnose` job: why a network does not learn, by checks with a plain verdict each and what to try."""

from collections.abc import Callable
from dataclasses import replace
from math import isfinite
from time import monotonic
from typing import Any

import torch

from models.diagnosis import (
    activations,
    data,
    fit,
    gradients,
    initial_loss,
    label_noise,
    learning_rate,
    overfit_batch,
    updates,
)
from models.diagnosis.finding import Finding, worst
from models.diagnosis.subject import Subject
from models.fits.report import FitsReport
from models.run import JobContext, Outcome, obey

LONG = 6000
"""Characters of numbers, beyond which they are in the report alone."""
CHECKS: dict[str, Callable[[Subject], Finding]] = {
    "data": data.check,
    "initial_loss": initial_loss.check,
    "overfit_batch": overfit_batch.check,
    "gradients": gradients.check,
    "activations": activations.check,
    "updates": updates.check,
    "learning_rate": learning_rate.check,
    "fit": fit.check,
    "label_noise": label_noise.check,
}
"""In the order in which they are made: what is cheap, and what explains the rest, first."""


def run(context: JobContext) -> Outcome:
    """Make the checks asked for, each from a fresh start.

    Leaves `report.json` and figures. On the CPU the same request leaves the same numbers. No model version comes of it.

    Raises:
        JobError: the request or the data cannot be trained with.
        Stopped: the user cancelled or paused. Finished trainings of folds are not done again, all else is.
    """
    torch.set_num_threads(context.threads)
    began_at, subject = monotonic(), Subject.of(context)
    wanted = [name for name in CHECKS if name in context.request["checks"]]
    report = FitsReport(context.report, len(wanted))
    findings: dict[str, Finding] = {}
    for number, name in enumerate(wanted):
        obey(context.report)
        report.begin(number, name)
        report.progress(0.0)
        findings[name] = CHECKS[name](replace(subject, context=replace(context, report=report)))
        context.report.log(f"{name}: {findings[name].verdict}. {findings[name].detail}")
    result = {
        "architecture": context.request["architecture"],
        "dataset": context.request["dataset"],
        "overall": worst(finding.verdict for finding in findings.values()),
        "parameters": sum(parameter.numel() for parameter in subject.network().parameters()),
        "checks": [_finite(finding.said(name)) for name, finding in findings.items()],
        "seconds": monotonic() - began_at,
    }
    files = [file for finding in findings.values() for file in finding.files]
    return Outcome(_brief(result), (context.write_report(result), *files))


def _brief(result: dict[str, Any]) -> dict[str, Any]:
    """The result without the numbers of every layer and step, which are in the report."""
    checks = []
    for check in result["checks"]:
        numbers = {name: value for name, value in check["numbers"].items() if not _is_long(value)}
        checks.append({**check, "numbers": numbers})
    return {**result, "checks": checks}


def _is_long(value: Any) -> bool:
    return isinstance(value, list | dict) and len(str(value)) > LONG


def _finite(value: Any) -> Any:
    """The same with None in place of numbers that are not finite, which JSON cannot say."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
