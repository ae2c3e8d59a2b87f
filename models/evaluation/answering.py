"""The answers of versions' ONNX graphs to rows of data sets, and how far a job has come with them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch

from models.data import DataSet
from models.errors import Mismatch
from models.examples import Examples, fitting
from models.inference import BATCH_SIZE, Feed, Session
from models.metrics import Array
from models.run import Candidate, JobContext, Reporter, obey
from models.tasks import TASKS
from models.versions.alignment import Align, align_classes, align_inputs


@dataclass
class Progress:
    """Rows answered of all that a job asks about."""

    report: Reporter
    total: int
    done: int = 0

    def reach(self, done: int) -> None:
        """So many are done. Raises `Stopped` if the user wishes an end."""
        obey(self.report)
        self.done = done
        self.report.progress(done / self.total)


@dataclass(frozen=True)
class Answering:
    """One version, ready to be asked about rows of one data set.

    Raises:
        Mismatch: the data set lacks the classes that the model is told.
        JobError: the model's file cannot be loaded.
    """

    candidate: Candidate
    session: Session
    align: Align
    classes: Array | None
    """For each class of the data set its index among the model's, where its network is told classes."""
    progress: Progress

    @classmethod
    def of(
        cls,
        context: JobContext,
        candidate: Candidate,
        dataset: DataSet,
        progress: Progress,
        session: Session | None = None,
    ) -> "Answering":
        """Of a version and a data set as it is taken; with a session of the version, if there is one already."""
        signature = candidate.version["signature"]
        align = align_inputs(dataset, signature["input"], context.fit_image)
        is_told = signature["labels"] is not None and not TASKS[signature["task"]].needs_targets
        if is_told and not dataset.has_row_classes:
            raise Mismatch("The model is told the class of each row, and the data set has none.")
        classes = align_classes(dataset.labels or [], signature["labels"]) if is_told else None
        return cls(candidate, session or Session(candidate.model, context.threads), align, classes, progress)

    def inputs(self, examples: Examples, places: Array | None = None) -> Iterator[Array]:
        """The examples at some places, or all, in batches, in the form that the version takes."""
        return (inputs for inputs, _ in self.asked(examples, places))

    def asked(self, examples: Examples, places: Array | None = None) -> Iterator[tuple[Array, Feed]]:
        """The same with what the graph is given: beside an input, the class of each row, if it is told."""
        signature = self.candidate.version["signature"]
        wanted = torch.arange(len(examples)) if places is None else torch.from_numpy(places)
        for index in torch.split(wanted, fitting(BATCH_SIZE, examples.input_shape)):
            batch = examples.gather(index)
            inputs, targets = self.align(batch.inputs.numpy()), batch.targets.numpy()
            told = targets if self.classes is None else self.classes[targets]
            yield inputs, TASKS[signature["task"]].asked(inputs, told, signature["labels"])

    def answer(self, feeds: Iterable[Feed]) -> Array:
        """What the task keeps of the graph's outputs for all batches."""
        signature, before = self.candidate.version["signature"], self.progress.done
        read = partial(TASKS[signature["task"]].read, output=signature["output"])
        return self.session.run_all(feeds, lambda rows: self.progress.reach(before + rows), read)

    def answer_all(self, examples: Examples) -> Array:
        """The same for all examples."""
        return self.answer(feed for _, feed in self.asked(examples))
