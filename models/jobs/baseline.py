"""The `baseline` job: what a network has to beat, measured on the rows that a train job is measured on."""

from collections.abc import Iterator
from time import monotonic
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from models.baselines import automated, classical, guesses
from models.baselines.contest import Contest, Entry
from models.data import DataSet
from models.errors import JobError
from models.evaluation.charts import Chart, Series
from models.evaluation.drawing import draw
from models.fits.report import FitsReport
from models.run import JobContext, Outcome, given, obey


def run(context: JobContext) -> Outcome:
    """Measure every learner of the families asked for; the result has them by the main metric, the best first.

    Leaves `report.json` and a figure. Only what FLAML finds in its time is not a function of the request.

    Raises:
        JobError: the data cannot be learned from or divided, or nothing could be fitted to it.
        Stopped: the user cancelled or paused; a resumed job begins anew.
    """
    torch.set_num_threads(context.threads)
    request, began_at = context.request, monotonic()
    contest = Contest.of(DataSet.open(given(context.dataset)), request, context.threads)
    entries: list[Entry] = []
    with threadpool_limits(context.threads):
        for entry in _entries(context, contest):
            obey(context.report)
            entries.append(entry)
            context.report.log(_line(entry, contest))
    split, metric = contest.measured[0], contest.task.main_metric
    entries.sort(key=lambda entry: -_value(entry, split, metric))
    if not entries[0].metrics:
        raise JobError("no_baseline", f"{entries[0].error}.")
    result = {
        "dataset": request["dataset"],
        "dataset_digest": contest.dataset.manifest["digest"],
        "task": contest.task.name,
        "metric": metric,
        "split": split,
        "best": entries[0].name,
        "rows": {name: len(examples) for name, examples in contest.splits.items()},
        **_learned(contest, request["families"]),
        "baselines": [entry._asdict() for entry in entries],
        "seconds": monotonic() - began_at,
    }
    files = (
        context.write_report({**result, "request": request}),
        *draw(_chart(contest, entries, request["dataset"]), "baselines", context.scratch),
    )
    return Outcome(result, files)


def _entries(context: JobContext, contest: Contest) -> Iterator[Entry]:
    request = context.request
    report = FitsReport(context.report, len(request["families"]))
    for number, family in enumerate(request["families"]):
        report.begin(number, family)
        if family == "random":
            yield from guesses.guess(contest)
        elif family == "classical":
            yield from classical.learn(contest, report)
        else:
            yield from automated.search(contest, request["time_budget_seconds"], report)


def _learned(contest: Contest, families: list[str]) -> dict[str, Any]:
    """What learners saw, if there were any: how many rows, and what of each."""
    if families == ["random"]:
        return {}
    return {"learned_from": len(contest.learned_from), "features": contest.features.detail}


def _line(entry: Entry, contest: Contest) -> str:
    if entry.error is not None:
        return f"{entry.name}: {entry.error}"
    metric = contest.task.main_metric
    values = {split: entry.metrics[split][metric] for split in contest.measured}
    written = (f"{split} {metric} {value:.4g}" for split, value in values.items() if value is not None)
    return f"{entry.name}: {', '.join(written)}"


def _value(entry: Entry, split: str, metric: str) -> float:
    """What entries are sorted by; one without a value comes last."""
    value = entry.metrics.get(split, {}).get(metric)
    return float("-inf") if value is None else float(value)


def _chart(contest: Contest, entries: list[Entry], name: str) -> Chart:
    """The main metric of each baseline, with its interval, on each measured split."""
    metric, series = contest.task.main_metric, []
    for split in contest.measured:
        known = {entry.name: entry.metrics[split] for entry in entries if _value(entry, split, metric) > float("-inf")}
        values = [scores[metric] for scores in known.values()]
        ends = [scores["intervals"].get(metric) or [scores[metric]] * 2 for scores in known.values()]
        low, high = [pair[0] for pair in ends], [pair[1] for pair in ends]
        series.append(Series(split, values, list(known), "points", low, high))
    return Chart(f"Baselines on {name}", f"{metric}, with its 95 % interval", "", series)
