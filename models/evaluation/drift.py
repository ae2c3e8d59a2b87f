"""Whether new rows are like those that a version was trained on.

Numbers are compared by Kolmogorov and Smirnov's test, categories by χ², and all p-values are adjusted together by
Benjamini and Hochberg. How much a column has moved is its population stability index,

    PSI = Σ_b (q_b - p_b) log(q_b / p_b)

of the shares p of the training rows and q of the new ones in each bin, the bins being tenths of the training rows, or
categories. A forest that is to tell the origins of rows apart finds what no column shows alone.
Source: Benjamini and Hochberg 1995; Siddiqi 2006, Credit risk scorecards (PSI); Lopez-Paz and Oquab 2017, Revisiting
classifier two-sample tests. Shapes: N rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Column
from models.metrics import Array
from models.metrics.intervals import area_intervals
from models.metrics.ranking import rank_classes

LEVEL = 0.05
NUM_BINS = 10
MIN_EXPECTED = 10
"""Rows of a category, of both kinds together: rarer ones count as one."""
MIN_ROWS = 20
"""Of either kind, to let a forest look for differences."""
MAX_COLUMNS = 500
"""Likewise; of more it would take its time."""
NUM_TREES = 100
MODERATE, LARGE = 0.1, 0.25
"""Of PSI, by custom: what lies below the first is small."""
MAX_BARS = 20
LEVELS = ("none", "small", "moderate", "large")


def compare_columns(reference: Sequence[Column], new: Sequence[Column]) -> list[dict[str, Any]]:
    """One entry a column: the test and its statistic, p-values, PSI, `drifted`, and both sides in a few numbers."""
    from scipy import stats

    entries = [_compared(*pair) for pair in zip(reference, new, strict=True)]
    adjusted = stats.false_discovery_control([entry["p_value"] for entry in entries]) if entries else []
    for entry, p_value in zip(entries, adjusted, strict=True):
        entry["adjusted_p_value"] = float(p_value)
        entry["drifted"] = bool(p_value < LEVEL)
    return entries


def told_apart(reference_NM: Array, new_NM: Array, threads: int) -> dict[str, Any] | None:
    """The area under the ROC curve of a forest that tells the rows' origins apart: 0.5 where it cannot.

    Each tree answers for the rows that it was not grown on. None for too few rows or too many columns.
    """
    if min(len(reference_NM), len(new_NM)) < MIN_ROWS or new_NM.shape[1] > MAX_COLUMNS:
        return None
    from sklearn.ensemble import RandomForestClassifier

    numbers_NM = np.concatenate([reference_NM, new_NM])
    is_new_N = np.repeat([0, 1], [len(reference_NM), len(new_NM)])
    forest = RandomForestClassifier(NUM_TREES, min_samples_leaf=5, oob_score=True, n_jobs=threads, random_state=0)
    forest.fit(np.where(np.isfinite(numbers_NM), numbers_NM, np.nan), is_new_N)
    ranking = rank_classes(is_new_N, forest.oob_decision_function_)
    return {"roc_auc": ranking.means["roc_auc"], "interval": area_intervals(ranking).get("roc_auc")}


def verdict(entries: list[dict[str, Any]], origins: dict[str, Any] | None) -> dict[str, Any]:
    """`drift`, one of none, small, moderate and large, and in words what that rests on as `detail`."""
    drifted = sorted((entry for entry in entries if entry["drifted"]), key=lambda entry: -entry["psi"])
    level = 0
    if drifted:
        level = 1 + sum(drifted[0]["psi"] >= bound for bound in (MODERATE, LARGE))
        named = ", ".join(f"{entry['name']} (PSI {entry['psi']:.2f})" for entry in drifted[:5])
        detail = f"{len(drifted)} of {len(entries)} columns and outputs differ from the training rows: {named}."
    else:
        detail = f"None of {len(entries)} columns and outputs differs from the training rows beyond chance."
    if origins is not None:
        low, high = origins["interval"] or (origins["roc_auc"], origins["roc_auc"])
        if low > 0.5:
            level = max(level, 1 + sum(origins["roc_auc"] >= bound for bound in (0.6, 0.75)))
        detail += f" A classifier tells them apart with an area of {origins['roc_auc']:.2f} [{low:.2f}, {high:.2f}]."
    remedy = ["look at the columns that moved most", "train again with rows like the new ones"] if level > 1 else []
    return {"drift": LEVELS[level], "detail": detail, "try": remedy}


def chart(entries: list[dict[str, Any]]) -> Chart:
    """The population stability index of the columns that moved most."""
    moved = sorted(entries, key=lambda entry: -float(entry["psi"]))[:MAX_BARS]
    series = Series("PSI", [entry["psi"] for entry in moved], [_marked(entry) for entry in moved], "bars")
    return Chart(
        "Columns and outputs that moved most since training (* beyond chance)",
        "population stability index",
        "",
        [series],
    )


def psi(reference_counts: Array, new_counts: Array) -> float:
    """The population stability index; half a row is added to each bin, so that none is empty."""
    p, q = ((counts + 0.5) / (counts.sum() + 0.5 * len(counts)) for counts in (reference_counts, new_counts))
    return float(((q - p) * np.log(q / p)).sum())


def _marked(entry: dict[str, Any]) -> str:
    return f"{entry['name']} *" if entry["drifted"] else str(entry["name"])


def _compared(reference: Column, new: Column) -> dict[str, Any]:
    compare = _numbers if reference.categories is None else _categories
    return {"name": reference.name, **compare(reference, new)}


def _numbers(reference: Column, new: Column) -> dict[str, Any]:
    """Where values are missing, that they are is tested beside the others, and the smaller p-value counts twice."""
    from scipy import stats

    known = [column.values[np.isfinite(column.values)] for column in (reference, new)]
    missing = np.array([len(column.values) - len(each) for column, each in zip((reference, new), known, strict=True)])
    statistic, p_value = 0.0, 1.0
    if all(len(each) for each in known):
        found = stats.ks_2samp(*known, method="asymp")
        statistic, p_value = float(found.statistic), float(found.pvalue)
    if missing.any():
        present = np.array([len(each) for each in known])
        p_value = min(1.0, 2 * min(p_value, _chi_square(np.stack([present, missing], axis=1))[1]))
    counts = np.hstack([_binned(*known), missing[:, None]])
    return {
        "kind": "numeric",
        "test": "kolmogorov_smirnov",
        "statistic": statistic,
        "p_value": p_value,
        "psi": psi(*counts[:, counts.any(axis=0)]),
        "reference": _summary(known[0], int(missing[0])),
        "new": _summary(known[1], int(missing[1])),
    }


def _binned(reference: Array, new: Array) -> Array:
    """How many values lie in each tenth of the reference's (2, bins), and first how many below all of these."""
    if not len(reference):
        return np.array([[0], [len(new)]])
    tenths = np.quantile(reference, np.linspace(0, 1, NUM_BINS + 1)[1:-1])
    edges = np.unique([np.nextafter(reference.min(), -np.inf), *tenths])
    return np.stack([np.bincount(np.searchsorted(edges, each), minlength=len(edges) + 1) for each in (reference, new)])


def _summary(values: Array, missing: int) -> dict[str, Any]:
    if not len(values):
        return {"mean": None, "std": None, "missing": missing}
    return {"mean": float(values.mean()), "std": float(values.std()), "missing": missing}


def _categories(reference: Column, new: Column) -> dict[str, Any]:
    """What is missing, or unknown to the version, is a category of its own."""
    names = [*(reference.categories or ()), None]
    counts_2K = np.stack([_counts(column.values, len(names)) for column in (reference, new)])
    totals_K = counts_2K.sum(axis=0)
    rare_K = totals_K < MIN_EXPECTED
    pooled = np.hstack([counts_2K[:, ~rare_K], counts_2K[:, rare_K].sum(axis=1, keepdims=True)])
    pooled = pooled[:, pooled.sum(axis=0) > 0]
    statistic, p_value = _chi_square(pooled)
    return {
        "kind": "categorical",
        "test": "chi_square",
        "statistic": statistic,
        "p_value": p_value,
        "psi": psi(*pooled),
        "reference": _shares(names, counts_2K[0]),
        "new": _shares(names, counts_2K[1]),
    }


def _counts(values: Array, num_names: int) -> Array:
    """Of each category, and last of what is missing."""
    places = np.where(np.isfinite(values), values, num_names - 1).astype(np.int64)
    return np.bincount(places, minlength=num_names)


def _shares(names: list[str | None], counts: Array, most: int = 10) -> dict[str, float]:
    """The shares of the most frequent categories."""
    frequent = np.argsort(-counts, kind="stable")[:most]
    shares = counts / counts.sum()
    return {names[k] or "(missing or unknown)": float(shares[k]) for k in frequent if counts[k]}


def _chi_square(counts_2K: Array) -> tuple[float, float]:
    from scipy import stats

    counts_2K = counts_2K[:, counts_2K.sum(axis=0) > 0]
    if counts_2K.shape[1] < 2:
        return 0.0, 1.0
    found = stats.chi2_contingency(counts_2K, correction=False)
    return float(found.statistic), float(found.pvalue)
