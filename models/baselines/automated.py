"""An automated search over learners and their settings, by FLAML (Wang, Wu, Weimer and Zhu 2021).

What it finds depends on how far it comes in its time, so that only its choice of candidates is a function of the seed.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baselines.classical import answers_of
from models.baselines.contest import Contest, Entry
from models.run import Reporter, obey

Array = NDArray[Any]
ESTIMATORS = ("lgbm", "rf", "extra_tree", "xgboost", "kneighbor", "lrl1")
FOR_REGRESSION = ESTIMATORS[:-1]
NAME = "flaml"


def search(contest: Contest, time_budget_seconds: float, report: Reporter) -> Iterator[Entry]:
    """The best learner found in the time. The validation rows choose it, as they choose a network's epoch.

    Without any, parts of the training rows do. Raises `Stopped` between two candidates.
    """
    logging.getLogger("flaml").setLevel(logging.ERROR)
    from flaml.automl import AutoML

    began_at, tried = monotonic(), _Tried(report, time_budget_seconds)
    searching: Any = AutoML()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its libraries, about each other
            searching.fit(**_data(contest), **_settings(contest, time_budget_seconds, tried.measure_of(contest)))
    except ValueError as error:  # its own refusal, such as a class of a single row
        yield Entry(NAME, "automl", {}, monotonic() - began_at, {}, f"FLAML refused the data: {error}")
        return
    if searching.best_estimator is None or searching.model is None:
        detail = f"FLAML finished no learner in {time_budget_seconds:g} s; give it more time"
        yield Entry(NAME, "automl", {}, monotonic() - began_at, {}, detail)
        return
    answers = {split: answers_of(searching, contest.inputs[split], contest) for split in contest.measured}
    found = {"estimator": searching.best_estimator, "candidates": tried.count, **_plain(searching.best_config)}
    yield contest.entry(NAME, "automl", answers, began_at, **found)


def _data(contest: Contest) -> dict[str, Array]:
    """The rows to learn from and those that choose, of classes that are among the former."""
    targets = contest.targets("train")[contest.learned_from]
    data = {"X_train": contest.inputs["train"], "y_train": targets}
    if "validation" not in contest.splits:
        return data
    known = np.isin(contest.targets("validation"), targets) if contest.dataset.labels else slice(None)
    return data | {"X_val": contest.inputs["validation"][known], "y_val": contest.targets("validation")[known]}


def _settings(contest: Contest, seconds: float, metric: Callable[..., Any]) -> dict[str, Any]:
    is_class = contest.dataset.labels is not None
    return {
        "task": "classification" if is_class else "regression",
        "metric": metric,
        "estimator_list": list(ESTIMATORS if is_class else FOR_REGRESSION),
        "time_budget": seconds,
        "n_jobs": contest.threads,
        "seed": contest.seed,
        "verbose": 0,
        "log_file_name": "",
        # What is trained again on the validation rows too could not be measured on them.
        "retrain_full": "validation" not in contest.splits,
    }


class _Tried:
    """What the search has tried; it looks up from each candidate to tell the user how far it is."""

    def __init__(self, report: Reporter, seconds: float) -> None:
        self.report, self.seconds, self.began_at = report, seconds, monotonic()
        self.count = 0

    def measure_of(self, contest: Contest) -> Callable[..., tuple[float, dict[str, float]]]:
        """FLAML's metric: what is lacking to 1 in the task's main metric."""
        is_class = contest.dataset.labels is not None

        def measure(X_val: Any, y_val: Any, estimator: Any, *others: Any) -> tuple[float, dict[str, float]]:
            obey(self.report)
            self.count += 1
            self.report.progress(min(1.0, (monotonic() - self.began_at) / self.seconds))
            truth, answers = np.asarray(y_val), np.asarray(estimator.predict(X_val))
            if is_class:
                loss = float((truth != answers).mean())
            else:
                loss = float(((truth - answers) ** 2).mean() / max(float(truth.var()), 1e-12))
            return loss, {}

        return measure


def _plain(config: dict[str, Any] | None) -> dict[str, Any]:
    """A configuration whose numbers are Python's own."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in (config or {}).items()}
