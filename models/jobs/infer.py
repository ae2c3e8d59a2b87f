"""The `infer` job: a model version's answers for every row of a data set, as a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from models.data import DataSet
from models.errors import JobError
from models.evaluation.answering import Answering, Progress
from models.examples import Examples
from models.run import Candidate, EncodePng, JobContext, Outcome, ProducedFile, given
from models.spreadsheet import flat
from models.tasks import TASKS, Task
from models.tasks.base import Description
from shapes.spreadsheet import cell

MEDIA_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


def run(context: JobContext) -> Outcome:
    """Write `predictions.jsonl` or `predictions.csv`, a line for each row, split after split.

    A line has `split`, `row` (counted from 0 in the split) and what the task says of an answer: of a classification,
    the best class as `label`, `index` and `probability`; of a regression, `value`; of a forecast,
    the `series`, the `step` that it begins with and a `forecast`; of a segmentation, `shares`, which
    in CSV is a column for each class; of a network that reconstructs, its `error` and anomaly `score`. Pictures are
    PNG files in a zip of their own, `masks.zip`, and a line has the name of its own in there, as `mask`. They have the
    size of the data set's images.

    Raises:
        JobError: the output format is unknown, or the model's file cannot be loaded.
        Mismatch: the data set's inputs, or the classes that the model is to be told, are not the model's.
        Stopped: the user cancelled or paused.
    """
    output_format = context.request["output_format"]
    if output_format not in MEDIA_TYPES:
        raise JobError("unknown_output_format", f"`output_format` can be {' or '.join(MEDIA_TYPES)}.")
    signature = given(context.version)["signature"]
    dataset = DataSet.open(given(context.dataset)).as_taken(signature)
    task = TASKS[signature["task"]]
    path = context.scratch / f"predictions.{output_format}"
    files = [ProducedFile(path.name, path, MEDIA_TYPES[output_format])]
    lines = _lines(context, dataset, task)
    if task.picture is None:
        rows = _write(path, output_format, (line.facts for line in lines))
    else:
        archive = context.scratch / f"{task.picture}s.zip"
        with ZipFile(archive, "w") as pictures:  # PNG is compressed already
            rows = _write(path, output_format, _put_aside(lines, task.picture, pictures, context.encode_png))
        files.append(ProducedFile(archive.name, archive, "application/zip"))
    result = {
        "model": context.request["model"],
        "version": context.request["version"],
        "dataset": context.request["dataset"],
        "rows": rows,
    }
    return Outcome(result, tuple(files))


def _lines(context: JobContext, dataset: DataSet, task: type[Task]) -> Iterator[Description]:
    """What there is to be written of each row."""
    candidate = Candidate(given(context.model), given(context.version))
    labels, splits = candidate.version["signature"]["labels"], dataset.manifest["splits"]
    progress = Progress(context.report, sum(len(dataset.stored(split)) for split in splits))
    answering = Answering.of(context, candidate, dataset, progress)
    image_size = tuple(dataset.input["shape"][1:]) if dataset.modality == "image" else None
    for split in splits:
        stored = dataset.stored(split)  # of targets only the class that is told, and each row only once
        asked = answering.asked(Examples(stored, dataset.row_classes(split), np.arange(len(stored)), in_memory=False))
        for row, answer in enumerate(answer for _, feed in asked for answer in answering.answer([feed])):
            described = task.describe(answer, labels, image_size)
            yield described._replace(facts={"split": split, "row": row, **dataset.place(split, row), **described.facts})


def _put_aside(
    lines: Iterator[Description], name: str, pictures: ZipFile, encode_png: EncodePng
) -> Iterator[dict[str, Any]]:
    """The lines with the names of their pictures, which go into the archive."""
    for facts, picture in lines:
        if picture is None:
            raise TypeError(f"an answer has no {name}")
        path = f"{facts['split']}/{facts['row']:06d}.png"
        pictures.writestr(path, encode_png(picture))
        yield {**facts, name: path}


def _write(path: Path, output_format: str, predictions: Iterator[dict[str, Any]]) -> int:
    """Write the predictions and say how many there were."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        for prediction in predictions:
            if output_format == "jsonl":
                file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
            else:
                columns = flat(prediction)
                if count == 0:
                    table.writerow([cell(name) for name in columns])
                table.writerow([cell(value) for value in columns.values()])
            count += 1
    return count
