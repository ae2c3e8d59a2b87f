"""The `validation_curve` job: how much capacity? Metrics against the values of one setting."""

from time import monotonic
from typing import Any

import torch

from models.data import DataSet
from models.fits.curves import division, files, gather, measure_all, with_repeat
from models.fits.fitting import Fit, configuration
from models.run import JobContext, Outcome, given
from models.tasks import TASKS
from models.wording import shortened


def run(context: JobContext) -> Outcome:
    """Train with each value of the setting and measure on the training and the validation rows.

    `points` of the request holds the hyperparameters and training settings for each of its `values`. A value with
    which training diverges has no metrics; `diverged` says why.

    Raises:
        JobError: the request or the data cannot be trained with.
        Stopped: the user cancelled or paused. Finished fits are not trained again.
    """
    torch.set_num_threads(context.threads)
    started_at = monotonic()
    dataset = DataSet.open(given(context.dataset))
    request, task = context.request, TASKS[dataset.manifest["task"]]
    fits = _fits(request, dataset)
    records = measure_all(context, dataset, fits, keep_diverged=True)
    curves = gather(records, request["repeats"])
    result = {
        **{name: request[name] for name in ("architecture", "dataset", "parameter", "values", "repeats")},
        "fits": len(fits),
        "best": _best(curves, request["values"], task.main_metric),
        "curves": curves,
        "diverged": {record["fit"]: record["diverged"] for record in records if record["diverged"]},
        "seconds": monotonic() - started_at,
    }
    axis = request["parameter"].partition(".")[2], request["values"]
    return Outcome(result, files(context, task, result, records, axis))


def _fits(request: dict[str, Any], dataset: DataSet) -> list[Fit]:
    fits = []
    for value, point in zip(request["values"], request["points"], strict=True):
        for repeat in range(request["repeats"]):
            training = with_repeat(point["training"], repeat)
            trained = configuration({**request, **point}, training=training)
            name = f"{request['parameter']} {shortened(value)}, repeat {repeat + 1} of {request['repeats']}"
            fits.append(Fit(name, trained, division(dataset, training), ("train", "held_out")))
    return fits


def _best(curves: dict[str, Any], values: list[Any], metric: str) -> dict[str, Any] | None:
    """The value with the best mean on the validation rows; None if none has any."""
    means = curves[metric]["validation"]["mean"] if metric in curves else []
    known = [(mean, place) for place, mean in enumerate(means) if mean is not None]
    if not known:
        return None
    mean, place = max(known, key=lambda each: each[0])
    return {"value": values[place], "metric": metric, "mean": mean}
