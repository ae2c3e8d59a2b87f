"""The `optimize` job: variants of a model version, each accepted only if it answers nearly as well."""

from pathlib import Path
from typing import Any

from models.data import DataSet
from models.inference import reason
from models.run import JobContext, Outcome, ProducedFile, Stopped, given, obey
from models.variants import float16, int8, optimized
from models.variants.comparison import Comparison
from models.variants.source import Refused, Source

BUILDERS = {"optimized": optimized.build, "fp16": float16.build, "int8": int8.build}
TOLERANCES = {"optimized": 1e-4, "fp16": 1e-2}
"""Where there are no metrics: the largest difference allowed, as a share of the largest answer, or of 1."""


def run(context: JobContext) -> Outcome:
    """Make the variants that the request names and hold each against the version's own graph.

    On the version's own data set an accepted variant loses at most `max_accuracy_loss` of the task's main metric
    (accuracy, or R²) on the rows held out in training. A version without a data set, or without held-out rows,
    has only parity to go by. What is refused is in the result with its reason, and is not kept.

    Raises:
        JobError: the model's file cannot be loaded.
        Stopped: the user cancelled or paused; a resumed job begins anew.
    """
    version = given(context.version)
    original = given(context.model).read_bytes()
    dataset = None if context.dataset is None else DataSet.open(context.dataset).as_taken(version["signature"])
    comparison = Comparison(original, version, dataset, context.threads, lambda: obey(context.report))
    results, files, accepted = [], [], []
    for place, name in enumerate(context.request["variants"]):
        obey(context.report)
        result, graph = _make(name, context, comparison)
        results.append(result)
        if result["accepted"]:
            files.append(ProducedFile(graph.name, graph, "application/octet-stream"))
            accepted.append({"name": name, "file": graph.name, "report": result["report"]})
        context.report.log(f"{name}: {'accepted' if result['accepted'] else result['reason']}")
        context.report.progress((place + 1) / len(context.request["variants"]))
    result = {"model": context.request["model"], "version": context.request["version"], "variants": results}
    files.append(context.write_report(result))
    return Outcome(result, tuple(files), variants=accepted)


def _make(name: str, context: JobContext, comparison: Comparison) -> tuple[dict[str, Any], Path]:
    """One variant's result, and its file if it was accepted."""
    path = context.scratch / f"{name}.onnx"
    report = None
    try:
        graph = _build(name, context, comparison)
        report = comparison.report(graph)
        _require_little_loss(name, report, context.request["max_accuracy_loss"])
    except Refused as refusal:
        return {"name": name, "accepted": False, "reason": str(refusal), "report": report}, path
    path.write_bytes(graph)
    return {"name": name, "accepted": True, "reason": None, "report": report}, path


def _build(name: str, context: JobContext, comparison: Comparison) -> bytes:
    """The variant's file. The converters are not ours: where one of them fails, the variant is refused."""
    if name == "int8" and comparison.held_out is None:
        raise Refused("There are no held-out rows to measure its loss on.")
    calibration = comparison.calibration(context.request["calibration_samples"]) if name == "int8" else iter(())
    scratch = context.scratch / name
    scratch.mkdir()
    try:
        model = BUILDERS[name](Source(comparison.original, scratch, context.threads, calibration))
        return bytes(model.SerializeToString())
    except (Refused, Stopped, MemoryError, OSError):
        raise
    except Exception as error:
        context.report.log(f"{name}: {type(error).__name__}: {reason(error)}", level="warning")
        raise Refused(f"The graph could not be converted: {reason(error)}") from error


def _require_little_loss(name: str, report: dict[str, Any], max_loss: float) -> None:
    metrics, parity = report["metrics"], report["parity"]
    if metrics is not None and metrics["loss"] is not None:
        if metrics["loss"] > max_loss:
            raise Refused(
                f"It loses {metrics['loss']:.4f} of {metrics['main']} on the {metrics['split']} rows "
                f"({metrics['original'][metrics['main']]:.4f} to {metrics['variant'][metrics['main']]:.4f}), and "
                f"`max_accuracy_loss` is {max_loss:g}."
            )
        return
    allowed = TOLERANCES.get(name, 0.0) * max(1.0, parity["max_abs_answer"])
    if parity["max_abs_difference"] > allowed:
        raise Refused(
            f"Its answers differ by up to {parity['max_abs_difference']:.2g}, and {allowed:.2g} is allowed where "
            "there are no held-out rows to measure a loss on."
        )
