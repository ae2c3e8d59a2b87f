"""The `infer` job: a model version's answers for every row of a data set, as a file."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.alignment import align_inputs
from models.data import DataSet
from models.errors import JobError
from models.inference import BATCH_SIZE, Session
from models.run import JobContext, Outcome, ProducedFile, given, obey

MEDIA_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def run(context: JobContext) -> Outcome:
    """Write `predictions.jsonl` or `predictions.csv`, a line for each row, split after split.

    A line has `split`, `row` (counted from 0 in the split) and, of a classification, the best class as
    `label`, `index` and `probability`; of a regression, `value`.

    Raises:
        JobError: the output format is unknown, or the model's file cannot be loaded.
        Mismatch: the data set's inputs are not the model's.
        Stopped: the user cancelled or paused.
    """
    output_format = context.request["output_format"]
    if output_format not in MEDIA_TYPES:
        raise JobError("unknown_output_format", f"`output_format` can be {' or '.join(MEDIA_TYPES)}.")
    dataset = DataSet.open(given(context.dataset))
    path = context.scratch / f"predictions.{output_format}"
    rows = _write(path, output_format, _predictions(context, dataset))
    result = {
        "model": context.request["model"],
        "version": context.request["version"],
        "dataset": context.request["dataset"],
        "rows": rows,
    }
    return Outcome(result, (ProducedFile(path.name, path, MEDIA_TYPES[output_format]),))


def _predictions(context: JobContext, dataset: DataSet) -> Iterator[dict[str, Any]]:
    signature = given(context.version)["signature"]
    align = align_inputs(dataset, signature["input"], context.fit_image)
    session = Session(given(context.model), context.threads)
    total = sum(split["count"] for split in dataset.manifest["splits"].values())
    done = 0
    for split in dataset.manifest["splits"]:
        inputs = dataset.inputs(split)
        for start in range(0, len(inputs), BATCH_SIZE):
            obey(context.report)
            answers = session.run(align(np.array(inputs[start : start + BATCH_SIZE])))
            for row, answer in enumerate(answers, start):
                yield {"split": split, "row": row, **_described(answer, signature["labels"])}
            done += len(answers)
            context.report.progress(done / total)


def _described(answer: NDArray[Any], labels: list[str] | None) -> dict[str, Any]:
    if labels is None:
        return {"value": float(answer)}
    index = int(answer.argmax())
    return {"label": labels[index], "index": index, "probability": float(answer[index])}


def _write(path: Path, output_format: str, predictions: Iterator[dict[str, Any]]) -> int:
    """Write the predictions and say how many there were."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        for prediction in predictions:
            if output_format == "jsonl":
                file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
            else:
                if count == 0:
                    table.writerow(prediction)
                table.writerow([_cell(value) for value in prediction.values()])
            count += 1
    return count


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula is marked as text; numbers stay as they are."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
