"""The `evaluate` job: the metrics of a model version's ONNX graph on a data set."""

import json
from math import prod
from typing import Any

import numpy as np

from models.alignment import align_classes, align_inputs
from models.data import DataSet, Examples, require_finite_targets
from models.errors import Mismatch
from models.inference import BATCH_SIZE, Session
from models.metrics import roc_curves, score
from models.run import JobContext, Outcome, ProducedFile, given, obey
from models.settings import Split


def run(context: JobContext) -> Outcome:
    """Score the graph on a split, `test` unless the request names another.

    On the data set that the version was trained on, the splits are those of its training, so that no row
    it has learned is among the test's. A data set without splits of its own is scored whole, as `all`.

    Raises:
        UnsuitableData: a target is missing.
        Mismatch: the data set's task, inputs or classes are not the model's, or it has no such split.
        JobError: the model's file cannot be loaded.
        Stopped: the user cancelled or paused.
    """
    version = given(context.version)
    dataset = DataSet.open(given(context.dataset))
    signature = version["signature"]
    if dataset.manifest["task"] != signature["task"]:
        raise Mismatch(
            f"The model does {signature['task']}; the data set is for {dataset.manifest['task'] or 'no task'}."
        )
    name, examples = _examples(dataset, version, context.request["split"])
    require_finite_targets(examples)
    labels = signature["labels"]
    targets = examples.targets.numpy()
    if labels is not None:
        targets = align_classes(dataset.labels or [], labels)[targets]
    align = align_inputs(dataset, signature["input"], context.fit_image)

    def between(rows: int) -> None:
        obey(context.report)
        context.report.progress(rows / len(examples))

    batches = (align(batch.inputs.numpy()) for batch in examples.batches(BATCH_SIZE))
    answers = Session(given(context.model), context.threads).run_all(batches, between)
    metrics = score(signature["task"], targets, answers, labels, prod(signature["input"]["shape"]))
    if labels is not None:
        metrics["roc_curve"] = roc_curves(targets, answers, labels)
    request = context.request
    result = {
        "model": request["model"],
        "version": request["version"],
        "dataset": request["dataset"],
        "split": name,
        "rows": len(examples),
        "metrics": metrics,
    }
    report = context.scratch / "report.json"
    report.write_text(json.dumps(result, indent=2))
    return Outcome(result, (ProducedFile("report.json", report, "application/json"),))


def _examples(dataset: DataSet, version: dict[str, Any], wanted: str) -> tuple[str, Examples]:
    """The split to score and its name."""
    own = list(dataset.manifest["splits"])
    if dataset.manifest["digest"] == version.get("dataset_digest"):
        parts = dataset.rows(Split.model_validate(version["split"]))
    elif own == ["train"]:
        return "all", dataset.examples("train")
    else:
        parts = {name: (name, np.arange(dataset.manifest["splits"][name]["count"])) for name in own}
    if wanted not in parts:
        raise Mismatch(f"The data set has no split {wanted!r}; `split` can be: {', '.join(parts)}.")
    source, rows = parts[wanted]
    return wanted, dataset.examples(source, rows)
