"""What a search has found: its best trial, the trials that no other beats, and which parameters mattered."""

import warnings
from collections import Counter

from optuna.importance import get_param_importances

from models.errors import JobError
from models.search.history import History, Record
from shapes.search import front, losses

MIN_FOR_IMPORTANCE = 4
"""Fewer completed trials say nothing about which parameter mattered."""


def completed(history: History) -> list[Record]:
    """The trials that were trained to their end, of this search alone."""
    return [record for record in history.records if record.state == "complete"]


def pareto(history: History) -> list[int]:
    """The numbers of the completed trials that no other is at least as good as in every objective, and better in one.

    With one objective they are the best, if several are equally good.
    """
    return sorted(front(_objectives(history), {record.number: record.values or {} for record in completed(history)}))


def best(history: History) -> Record:
    """The best completed trial in the first objective, and of equally good ones in the next; then the earliest.

    Raises:
        JobError: `no_trial_completed`, naming the commonest cause.
    """
    trials = completed(history)
    if not trials:
        raise JobError("no_trial_completed", _why_none(history))
    return min(trials, key=lambda record: (_losses(history, record), record.number))


def importance(history: History) -> dict[str, float]:
    """The share of each path in how good a trial was in the first objective, the greatest first.

    By PED-ANOVA (Watanabe et al. 2023): how much the values of the best tenth of the trials differ from all values.
    Empty where there are too few completed trials, or all are equally good.
    """
    trials = completed(history)
    if len(trials) < MIN_FOR_IMPORTANCE or len({_losses(history, record)[0] for record in trials}) == 1:
        return {}
    with warnings.catch_warnings():
        # That the best are all of them, of which nothing can be learned.
        warnings.simplefilter("error", UserWarning)
        try:
            shares = get_param_importances(history.of_first_objective().study(warm=False))
        except UserWarning:
            return {}
    return {path: float(share) for path, share in shares.items()}


def _losses(history: History, record: Record) -> tuple[float, ...]:
    return losses(_objectives(history), record.values or {})


def _objectives(history: History) -> list[dict[str, str]]:
    return [objective._asdict() for objective in history.objectives]


def _why_none(history: History) -> str:
    causes = Counter(record.error["detail"] for record in history.records if record.error)
    pruned = sum(record.state == "pruned" for record in history.records)
    text = f"None of the {len(history.records)} trials was trained to its end"
    if pruned:
        text += f"; {pruned} were pruned: set `pruner` to none"
    for detail, count in causes.most_common(1):
        text += f"; {count} failed, most often so: {detail}"
    return text
