"""The `bias_variance` job: what the error is made of, by training on bootstrap samples.

B networks are trained, each on as many rows as there are, drawn from the training rows with replacement (Efron
1979), and with initial weights of its own. Their answers for the test rows are decomposed by `fits.decomposition`.
"""

from time import monotonic
from typing import Any

import numpy as np
import torch

from models import spreadsheet
from models.data import DataSet
from models.errors import JobError
from models.fits.decomposition import squared_error, zero_one_loss
from models.fits.fitting import Fit, configuration, fit_all, seed_of_fit
from models.fits.scoring import announce, numbers_of, scores_of, targets_of
from models.run import JobContext, Outcome, ProducedFile, given
from models.training.settings import training_settings


def run(context: JobContext) -> Outcome:
    """Train on each bootstrap sample as a train job would on the training rows, and answer the test rows.

    Raises:
        JobError: the request or the data cannot be trained with, there is no test split, or training diverged.
        Stopped: the user cancelled or paused. Finished fits are not trained again.
    """
    torch.set_num_threads(context.threads)
    started_at = monotonic()
    dataset = DataSet.open(given(context.dataset))
    fits = _fits(context.request, dataset)
    test = fits[0].parts["test"]
    targets = targets_of(dataset, test)
    answers = []
    for number, (fit, fitted) in enumerate(zip(fits, fit_all(context, dataset, fits), strict=True), 1):
        answers.append(fitted.answers["test"])
        announce(context.report, number, fit, fitted, numbers_of(scores_of(dataset, targets, answers[-1])))
    loss, decompose = ("squared_error", squared_error) if dataset.labels is None else ("zero_one", zero_one_loss)
    by_row = decompose(targets, answers)
    result = {
        **{name: context.request[name] for name in ("architecture", "dataset", "resamples")},
        "loss": loss,
        "rows": {name: len(rows) for name, (_, rows) in fits[0].parts.items()},
        **{name: float(values.mean()) for name, values in by_row.items()},
        "seconds": monotonic() - started_at,
    }
    table = context.scratch / "decomposition.csv"
    columns = {"row": test[1], "target": targets, **by_row}
    lines = zip(*(values.tolist() for values in columns.values()), strict=True)
    spreadsheet.write(table, list(columns), lines)
    return Outcome(result, (context.write_report(result), ProducedFile(table.name, table, "text/csv")))


def _fits(request: dict[str, Any], dataset: DataSet) -> list[Fit]:
    settings = training_settings(request["training"])
    parts = dataset.rows(settings.split)
    if "test" not in parts:
        raise JobError("no_test", "There are no rows to measure on: set `training.split.test` above 0.")
    source, rows = parts["train"]
    fits = []
    for number in range(request["resamples"]):
        generator = np.random.default_rng([request["seed"], number])
        sample = np.sort(generator.choice(rows, len(rows)))
        training = {**request["training"], "seed": seed_of_fit(settings.seed, number)}
        name = f"bootstrap sample {number + 1} of {request['resamples']}"
        trained = configuration(request, training=training)
        fits.append(Fit(name, trained, {**parts, "train": (source, sample)}, ("test",)))
    return fits
