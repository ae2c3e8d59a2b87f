"""One version evaluated on one split: its answers, and all that is told of them."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from models.data import DataSet
from models.errors import Mismatch
from models.evaluation import comparison, drift, familiarity, hardest
from models.evaluation.answering import Answering, Progress
from models.evaluation.classification import ClassificationEvaluator
from models.evaluation.evaluator import Evaluator, Examination
from models.evaluation.exhibits import Exhibits
from models.evaluation.forecasting import ForecastingEvaluator
from models.evaluation.reconstruction import ReconstructionEvaluator
from models.evaluation.regression import RegressionEvaluator
from models.evaluation.segmentation import SegmentationEvaluator
from models.evaluation.tagging import TaggingEvaluator
from models.evaluation.text_generation import TextGenerationEvaluator
from models.evaluation.translation import TranslationEvaluator
from models.examples import Examples, require_finite_targets
from models.metrics import Array, Scores
from models.run import Candidate, JobContext, given
from models.tasks import TASKS, Task
from models.versions.alignment import align_classes
from models.versions.splits import examples_of
from shapes.tokens import NO_TARGET

EVALUATORS: dict[str, type[Evaluator]] = {
    "classification": ClassificationEvaluator,
    "regression": RegressionEvaluator,
    "segmentation": SegmentationEvaluator,
    "tagging": TaggingEvaluator,
    "forecasting": ForecastingEvaluator,
    "reconstruction": ReconstructionEvaluator,
    "generation": ReconstructionEvaluator,
    "translation": TranslationEvaluator,
    "text_generation": TextGenerationEvaluator,
}
UNKNOWN_DRIFT = {
    "drift": "unknown",
    "detail": "The data set that the version was trained on is no longer here to compare with.",
    "try": [],
}


@dataclass(frozen=True)
class Evaluation:
    """A version's answers to the rows of a split, their scores, and the files made of them."""

    context: JobContext
    dataset: DataSet
    split: str
    examples: Examples
    known: Examples | None
    """A sample of the rows that the version was trained on, if these are still there."""
    answering: Answering
    evaluator: Evaluator
    targets: Array
    answers: Array
    scores: Scores
    exhibits: Exhibits

    @classmethod
    def of(cls, context: JobContext) -> "Evaluation":
        """Ask the version of a job's context about all rows of the split. Raises as `models.jobs.evaluate.run`."""
        candidate = Candidate(given(context.model), given(context.version))
        signature = candidate.version["signature"]
        dataset = DataSet.open(given(context.dataset)).as_taken(signature)
        _require_task(dataset, signature["task"])
        split, examples = examples_of(dataset, candidate.version, context.request["split"])
        if TASKS[signature["task"]].needs_targets:
            require_finite_targets(examples)
        targets = dataset.truth(examples)
        if dataset.labels is not None and signature["labels"] is not None:
            # The last place is that of `NO_TARGET`, which stays.
            places = np.append(align_classes(dataset.labels, signature["labels"]), NO_TARGET)
            targets = places.astype(targets.dtype)[targets]
        known = None
        if context.reference is not None:
            known = familiarity.training_rows(DataSet.open(context.reference).as_taken(signature), candidate.version)
        total = len(examples) * (1 + len(context.others)) + len(known or ())
        answering = Answering.of(context, candidate, dataset, Progress(context.report, total))
        taken = signature["input"]["shape"]
        num_inputs = dataset.num_inputs if None in taken else prod(taken)
        evaluator = EVALUATORS[signature["task"]](signature["labels"] or [], num_inputs)
        answers = evaluator.fitted(answering.answer_all(examples), signature["labels"], targets)
        scores = _scores(evaluator, TASKS[signature["task"]], targets, answers)
        exhibits = Exhibits(context.scratch)
        return cls(context, dataset, split, examples, known, answering, evaluator, targets, answers, scores, exhibits)

    def examine(self) -> Examination:
        """What there is beside the metrics, its figures drawn."""
        version = self.answering.candidate.version
        examined = self.evaluator.examine(self.targets, self.answers, self.scores, version.get("calibration"))
        for name, figure in examined.figures.items():
            self.exhibits.draw(name, figure)
        return examined

    def hardest(self) -> list[dict[str, Any]]:
        """The rows of the largest loss, the largest first: as a table and, of images, as a sheet of them."""
        count = self.context.request["hardest"]
        losses = self.evaluator.losses(self.targets, self.answers)
        places = hardest.hardest(losses, count)
        if not len(places):
            return []
        entries = hardest.describe(
            self.dataset, self.examples, places, self.evaluator, (self.targets, self.answers), losses
        )
        hardest.exhibit(entries, self.exhibits)
        if self.dataset.modality == "image":
            masks = (self.targets, self.answers) if self.answers.ndim > 2 else None
            sheet = hardest.sheet(entries, self.examples, masks, self.context.encode_png)
            self.exhibits.hang("hardest", sheet, "the images of the largest loss, the largest first")
        return entries

    def drift(self) -> dict[str, Any]:
        """The rows beside those of the training; only a verdict, `unknown`, where these are gone."""
        if self.known is None:
            return {"verdict": UNKNOWN_DRIFT}
        signature = self.answering.candidate.version["signature"]
        dataset = DataSet.open(given(self.context.reference)).as_taken(signature)
        candidate, progress = self.answering.candidate, self.answering.progress
        known = Answering.of(self.context, candidate, dataset, progress, self.answering.session), self.known
        new = self.answering, self.examples
        found = familiarity.compare(known, new, self.answers, self.evaluator, self.context.threads)
        self.exhibits.draw("drift", drift.chart(found["columns"]))
        return {"dataset": self.context.request["reference"], **found}

    def comparison(self) -> dict[str, Any] | None:
        """The version beside another on the same rows; None if none was named."""
        if not self.context.others:
            return None
        (other,) = self.context.others
        signature = other.version["signature"]
        dataset = DataSet.open(given(self.context.dataset)).as_taken(signature)
        _, examples = examples_of(dataset, self.answering.candidate.version, self.context.request["split"])
        answering = Answering.of(self.context, other, dataset, self.answering.progress)
        answers = self.evaluator.fitted(answering.answer_all(examples), signature["labels"], self.targets)
        task = TASKS[signature["task"]]
        scores = task.score(self.targets, answers, self.evaluator.labels or None, self.evaluator.num_inputs)
        compared = comparison.compare(self.evaluator, self.targets, (self.answers, self.scores), (answers, scores))
        request = self.context.request
        against = request["against"]
        names = (f"{request['model']} {request['version']}", f"{against['model']} {against['version']}")
        self.exhibits.draw("comparison", comparison.chart(compared, names))
        return {**against, "verdict": comparison.verdict(compared, task.main_metric, names), **compared}


def _require_task(dataset: DataSet, task: str) -> None:
    if not TASKS[task].suits(dataset.manifest):
        raise Mismatch(f"The model does {task}; the data set is for {dataset.manifest['task'] or 'no task'}.")


def _scores(evaluator: Evaluator, task: type[Task], targets: Array, answers: Array) -> Scores:
    return task.measure(targets, answers, evaluator.labels or None, evaluator.num_inputs)
