"""The `evaluate` job: the metrics of a model version's ONNX graph on a data set."""

from math import prod

from models.data import DataSet, fitting, require_finite_targets
from models.errors import Mismatch
from models.inference import BATCH_SIZE, Session
from models.run import JobContext, Outcome, given, obey
from models.tasks import TASKS
from models.versions.alignment import align_classes, align_inputs
from models.versions.splits import examples_of


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
    _require_task(dataset, signature["task"])
    name, examples = examples_of(dataset, version, context.request["split"])
    require_finite_targets(examples)
    task, labels = TASKS[signature["task"]], signature["labels"]
    targets = examples.targets.numpy()
    if labels is not None:
        targets = align_classes(dataset.labels or [], labels).astype(targets.dtype)[targets]
    align = align_inputs(dataset, signature["input"], context.fit_image)

    def between(rows: int) -> None:
        obey(context.report)
        context.report.progress(rows / len(examples))

    shape = signature["input"]["shape"]
    batches = (align(batch.inputs.numpy()) for batch in examples.batches(fitting(BATCH_SIZE, shape)))
    answers = Session(given(context.model), context.threads).run_all(batches, between, task.read)
    metrics = task.measure(targets, answers, labels, prod(shape)) | task.curves(targets, answers, labels)
    result = {
        **{key: context.request[key] for key in ("model", "version", "dataset")},
        "split": name,
        "rows": len(examples),
        "metrics": metrics,
    }
    return Outcome(result, (context.write_report(result),))


def _require_task(dataset: DataSet, task: str) -> None:
    if dataset.manifest["task"] != task:
        raise Mismatch(f"The model does {task}; the data set is for {dataset.manifest['task'] or 'no task'}.")
