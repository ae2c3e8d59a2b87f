"""The `evaluate` job: what a model version's ONNX graph is worth on a labelled data set."""

from typing import Any

from models.evaluation.evaluation import Evaluation
from models.run import JobContext, Outcome

MAX_COLUMNS = 20
"""Columns in the result's account of drift, those that moved most; the report has all."""


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
    evaluation = Evaluation.of(context)
    examined = evaluation.examine()
    roc_curve = {name: curve for name, curve in examined.curves.items() if name == "roc_curve"}
    result = {
        **{key: context.request[key] for key in ("model", "version", "dataset")},
        "split": evaluation.split,
        "rows": len(evaluation.examples),
        "metrics": evaluation.scores | roc_curve,
        **examined.result,
        "hardest": evaluation.hardest(),
        "drift": evaluation.drift(),
        "comparison": evaluation.comparison(),
        "artifacts": evaluation.exhibits.entries,
    }
    report = context.write_report({**result, "curves": examined.curves})
    return Outcome(_in_short(result), (report, *evaluation.exhibits.files))


def _in_short(result: dict[str, Any]) -> dict[str, Any]:
    """Without the values of the hardest rows, and with no more than 20 columns of the drift."""
    drift = result["drift"]
    if "columns" in drift:
        moved = sorted(drift["columns"], key=lambda column: -float(column["psi"]))
        drift = {**drift, "columns": moved[:MAX_COLUMNS]}
    hardest = [{name: value for name, value in row.items() if name != "values"} for row in result["hardest"]]
    return {**result, "hardest": hardest, "drift": drift}
