"""Two versions' answers to the same rows: how far their metrics differ, and whether that may be chance.

The difference of two metrics has the percentiles of its values over the same resampled rows, or, of areas under curves,
the variance of the difference of the rows' influences, which is DeLong's. Shapes: N rows.
"""

from typing import Any

import numpy as np

from models.evaluation.charts import Chart, Series
from models.evaluation.evaluator import Evaluator
from models.metrics import METRICS, Array, Scores
from models.metrics.intervals import QUANTILES, Z, deviation_of

LEVEL = 0.05
TESTS = {"mcnemar": "McNemar", "wilcoxon": "Wilcoxon"}


OWN_SCORE = "anomaly_score"
OWN_UNITS = ("mae", "mse", "rmse")


def compare(
    evaluator: Evaluator, targets: Array, first: tuple[Array, Scores], second: tuple[Array, Scores]
) -> dict[str, Any]:
    """`metrics`, by name `{"first", "second", "difference", "interval"}`, and the `test` of the evaluator.

    `first` and `second` are answers and their scores; a difference is the first's value less the second's. Anomaly
    scores are each network's own and are not compared.
    """
    single = [metric.name for metric in METRICS if metric.greater_is_better is not None and metric.name != OWN_SCORE]
    pairs = {name: (first[1][name], second[1][name]) for name in single if name in first[1]}
    differences = {name: pair[0] - pair[1] for name, pair in pairs.items() if None not in pair}
    intervals = _intervals(evaluator, targets, first[0], second[0], differences)
    return {
        "metrics": {
            name: {
                "first": pairs[name][0],
                "second": pairs[name][1],
                "difference": difference,
                "interval": intervals.get(name),
            }
            for name, difference in differences.items()
        },
        "test": evaluator.test(targets, first[0], second[0]),
    }


def verdict(compared: dict[str, Any], main: str, names: tuple[str, str]) -> dict[str, Any]:
    """`better`: first, second or neither; and why, in words, as `detail`.

    One is better if both the test and the interval of the main metric, of which more is better, say so.
    """
    test, metric = compared["test"], compared["metrics"].get(main)
    if metric is None or metric["interval"] is None:
        return {"better": "neither", "detail": f"There is no {main} of both to compare, or they answer alike."}
    low, high = metric["interval"]
    better = "neither"
    if test["p_value"] < LEVEL and (low > 0 or high < 0):
        better = "first" if low > 0 else "second"
    figures = (
        f"{main} is {metric['first']:.4f} against {metric['second']:.4f}, a difference of "
        f"{metric['difference']:+.4f} [{low:+.4f}, {high:+.4f}]; {test['detail']} "
        f"({TESTS[test['name']]}, p = {test['p_value']:.2g})."
    )
    first, second = f"{names[0]} (first)", f"{names[1]} (second)"
    claims = {
        "first": f"{first} is better than {second}",
        "second": f"{second} is better than {first}",
        "neither": f"No difference between {first} and {second} is shown on these rows",
    }
    return {"better": better, "detail": f"{claims[better]}: {figures}"}


def chart(compared: dict[str, Any], names: tuple[str, str]) -> Chart:
    """The difference of each metric with its interval. Those in the target's units are left out."""
    bounded = {name: each for name, each in compared["metrics"].items() if name not in OWN_UNITS}
    known = {name: each for name, each in bounded.items() if each["interval"] is not None}
    series = Series(
        "difference",
        [each["difference"] for each in known.values()],
        list(known),
        "points",
        [each["interval"][0] for each in known.values()],
        [each["interval"][1] for each in known.values()],
    )
    return Chart(f"{names[0]} less {names[1]}, with 95 % intervals", "difference", "", [series])


def _intervals(
    evaluator: Evaluator, targets: Array, first: Array, second: Array, differences: dict[str, float]
) -> dict[str, list[float]]:
    """Of each difference; without those of metrics that are not defined in any resample."""
    intervals = {}
    samples = evaluator.resamples(targets, first), evaluator.resamples(targets, second)
    for name in samples[0].keys() & differences.keys():
        pairs = np.stack([each[name] for each in samples])
        known = pairs[:, np.isfinite(pairs).all(axis=0)]
        if known.size:
            intervals[name] = np.quantile(known[0] - known[1], QUANTILES).tolist()
    influences = evaluator.influences(targets, first), evaluator.influences(targets, second)
    for name in influences[0].keys() & differences.keys():
        margin = Z * deviation_of(influences[0][name] - influences[1][name])
        intervals[name] = [differences[name] - margin, differences[name] + margin]
    return intervals
