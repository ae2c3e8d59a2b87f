"""The `search` job, when its trials are over: the best configuration is trained once more and becomes a version."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch

from models.data import DataSet
from models.jobs.train import train
from models.run import JobContext, Outcome, given
from models.search import figures, table
from models.search.findings import best, importance, pareto
from models.search.history import History, Record
from models.search.refit import plan_of
from models.search.space import configured


def run(context: JobContext) -> Outcome:
    """Train the best trial's configuration as the `train` job does, and report what the search found.

    With `refit: best` this is the trial's training again, which on a CPU comes to the same weights; with `all` the
    validation rows are learned from as well, for as many epochs as were best.

    Raises:
        JobError: no trial was trained to its end, or the training or its export failed.
        Stopped: the user cancelled or paused.
    """
    torch.set_num_threads(context.threads)
    history = History.of(context.request, given(context.study))
    if history.warm_start is not None:
        context.report.log(history.warm_start)
    found = best(history)
    values, parameters = _written(found.values), _written(found.parameters)
    context.report.log(f"trial {found.number} is the best of {len(history.records)}: {values}; with {parameters}")
    request = configured(context.request, found.parameters or {})
    plan = plan_of(context.request["refit"], request, DataSet.open(given(context.dataset)), found)
    trained = train(context, plan)
    learned = {"learned": ["validation"]} if context.request["refit"] == "all" else {}
    version = {**given(trained.version), **learned}
    drawn = figures.draw(history, context.scratch)
    result = {**trained.result, **_findings(history, found), "refit": context.request["refit"]}
    context.write_report({"result": result, "version": version, "rows": plan.rows, "missing_figures": drawn.missing})
    files = (*trained.files, table.write(history, context.scratch / "trials.csv"), *drawn.files)
    return Outcome(result, files, version=version)


def _findings(history: History, found: Record) -> dict[str, Any]:
    states = Counter(record.state for record in history.records)
    return {
        "best": {"number": found.number, "parameters": found.parameters, "values": found.values},
        "trials": {state: states[state] for state in ("complete", "pruned", "failed")},
        "pareto": pareto(history),
        "importance": importance(history),
        "trial_epochs": sum(record.attributes.get("epochs") or 0 for record in history.records),
    }


def _written(values: Mapping[str, Any] | None) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in (values or {}).items()
    )
