"""How a model version stands to the baselines that are stored of its data set."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.tasks import Task


def standing(
    baselines: Sequence[Mapping[str, Any]], task: type[Task] | Task, metrics: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A record for each baseline of this task, the best first; `metrics` is the version's, by split.

    They are compared by the task's main metric on the test rows, or without any on the validation rows. A positive
    `difference` is in favour of the version.
    """
    split = "test" if metrics.get("test") else "validation"
    own = (metrics.get(split) or {}).get(task.main_metric)
    if own is None:
        return []
    records = []
    for each in baselines:
        value = each["metrics"].get(split, {}).get(task.main_metric)
        if each["task"] == task.name and value is not None:
            named = {name: each[name] for name in ("name", "family", "job")}
            measured = {"metric": task.main_metric, "split": split, "value": value, "difference": own - value}
            records.append({**named, **measured})
    return sorted(records, key=lambda record: record["difference"])


def sentence(records: Sequence[Mapping[str, Any]]) -> str | None:
    """The comparison with the best of the records of `standing`; None where there is none."""
    if not records:
        return None
    best = records[0]
    own = best["value"] + best["difference"]
    return (
        f"{best['metric']} {own:.3f} on {best['split']} rows against {best['value']:.3f} of the best stored baseline, "
        f"{best['name']}"
    )
