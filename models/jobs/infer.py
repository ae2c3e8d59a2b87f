"""The `infer` job: a model version's answers for every row of a data set, as a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from models.data import DataSet, Examples, fitting
from models.errors import JobError, Mismatch
from models.inference import BATCH_SIZE, Session
from models.run import EncodePng, JobContext, Outcome, ProducedFile, given, obey
from models.tasks import TASKS, Task
from models.tasks.base import Description
from models.versions.alignment import align_classes, align_inputs
from shapes.spreadsheet import cell

MEDIA_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


def run(context: JobContext) -> Outcome:
    """Write `predictions.jsonl` or `predictions.csv`, a line for each row, split after split.

    A line has `split`, `row` (counted from 0 in the split) and what the task says of an answer: of a classification,
    the best class as `label`, `index` and `probability`; of a regression, `value`; of a segmentation, `shares`, which
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
    signature = given(context.version)["signature"]
    align = align_inputs(dataset, signature["input"], context.fit_image)
    session = Session(given(context.model), context.threads)
    image_size = tuple(dataset.input["shape"][1:]) if dataset.modality == "image" else None
    total = sum(split["count"] for split in dataset.manifest["splits"].values())
    done = 0
    for split in dataset.manifest["splits"]:
        stored = dataset.stored(split)  # targets are not needed, and each row only once
        examples = Examples(stored, None, np.arange(len(stored)), in_memory=False)
        targets = _classes_told(dataset, split, task, signature["labels"])
        for index in torch.split(torch.arange(len(examples)), fitting(BATCH_SIZE, examples.input_shape)):
            obey(context.report)
            inputs = align(examples.gather(index).inputs.numpy())
            answers = task.read(session.run(task.asked(inputs, targets[index.numpy()], signature["labels"])))
            for row, answer in enumerate(answers, int(index[0])):
                described = task.describe(answer, signature["labels"], image_size)
                yield described._replace(facts={"split": split, "row": row, **described.facts})
            done += len(answers)
            context.report.progress(done / total)


def _classes_told(dataset: DataSet, split: str, task: type[Task], labels: list[str] | None) -> NDArray[np.int64]:
    """The class of each row (N,), as the model counts them, if its network is told; else zeros."""
    if labels is None or task.needs_targets:
        return np.zeros(dataset.manifest["splits"][split]["count"], np.int64)
    classes = dataset.row_classes(split)
    if classes is None:
        raise Mismatch("The model is told the class of each row, and the data set has none.")
    told: NDArray[np.int64] = align_classes(dataset.labels or [], labels)[classes]
    return told


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
                columns = _columns(prediction)
                if count == 0:
                    table.writerow([cell(name) for name in columns])
                table.writerow([cell(value) for value in columns.values()])
            count += 1
    return count


def _columns(prediction: dict[str, Any]) -> dict[str, Any]:
    """A line without objects in it: a column for each of their names."""
    columns: dict[str, Any] = {}
    for name, value in prediction.items():
        columns |= {f"{name}.{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
    return columns
