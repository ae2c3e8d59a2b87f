"""Results drawn for a terminal."""

from typing import Any

from client import results
from tests.client.screen import drawn


def test_metrics_stand_side_by_side() -> None:
    columns: dict[str, dict[str, Any]] = {
        "test": {"accuracy": 0.98765, "confusion_matrix": [[1]]},
        "random baseline": {"accuracy": 0.1},
    }
    assert [line.split() for line in drawn(results.metrics(columns)).splitlines()] == [
        ["METRIC", "TEST", "RANDOM", "BASELINE"],
        ["accuracy", "0.9877", "0.1"],
    ]


def test_a_metrics_interval_stands_beside_it() -> None:
    columns: dict[str, dict[str, Any]] = {
        "test": {"accuracy": 0.98765, "roc_auc": 1.0, "intervals": {"accuracy": [0.97001, 0.99502]}},
        "validation": {"accuracy": 0.9, "roc_auc": None},
    }
    lines = [" ".join(line.split()) for line in drawn(results.metrics(columns)).splitlines()]
    assert lines[1:] == ["accuracy 0.9877 [0.97, 0.995] 0.9", "roc_auc 1"]


def test_a_verdict_is_one_line_and_does_not_act_on_the_terminal() -> None:
    record = {"fit": "overfitting", "detail": "The gap is\x1b[2J 20%.", "try": ["more rows", "a smaller network"]}
    (line,) = drawn(results.verdict(record)).splitlines()
    assert line.startswith("verdict  overfitting: The gap is")
    assert line.endswith("Try more rows; a smaller network.")
    assert "\x1b" not in line


def test_probabilities_are_drawn_to_scale() -> None:
    item = {
        "label": "3",
        "probability": 0.75,
        "top_k": [{"label": "3", "probability": 0.75}, {"label": "8", "probability": 0.25}],
    }
    first, second = drawn(results.predictions([item], width=8)).splitlines()[1:]
    assert (first.count("█"), second.count("█")) == (6, 2)


def test_a_variant_shows_what_it_gains_and_loses() -> None:
    report = {
        "bytes": {"original": 4000, "variant": 1000},
        "latency_ms": {"batch_1": {"original": 2.0, "variant": 0.5}},
        "metrics": {"loss": 0.0025},
    }
    items: list[dict[str, Any]] = [
        {"name": "int8", "accepted": True, "reason": None, "report": report},
        {"name": "fp16", "accepted": False, "reason": "No layer.", "report": None},
    ]
    first, second = drawn(results.variants(items)).splitlines()[1:]
    assert first.split() == ["int8", "yes", "1.0", "kB", "25%", "0.5", "2", "0.0025"]
    assert second.split() == ["fp16", "no", "No", "layer."]


def test_estimated_values_need_no_bar() -> None:
    assert drawn(results.predictions([{"value": 151.25}])).splitlines()[1].split() == ["0", "151.2"]


def test_texts_tags_and_forecasts_are_shown_as_they_are_said() -> None:
    def said(item: dict[str, Any]) -> str:
        return drawn(results.predictions([item])).splitlines()[1].strip()

    assert said({"text": "1999-05-03", "score": -0.1}) == "0  1999-05-03"
    tokens = [{"text": "New", "label": "B-place"}, {"text": "York", "label": "I-place"}]
    assert said({"tokens": tokens, "entities": []}) == "0  New/B-place York/I-place"
    assert said({"forecast": [1.5, 2.25]}) == "0  1.5, 2.25"
    assert said({"log_probability": -7.5, "tokens": 3, "perplexity": 2.0}) == "0  -7.5"


def test_a_forecast_has_a_line_for_each_of_its_quantiles() -> None:
    item = {"forecast": [1.5, 2.25], "quantiles": {"0.1": [1.0, 2.0], "0.5": [1.5, 2.25], "0.9": [2.0, 3.0]}}
    lines = [line.strip() for line in drawn(results.predictions([item])).splitlines()[1:]]
    assert lines == ["0  1.5, 2.25", "0.1: 1, 2", "0.5: 1.5, 2.25", "0.9: 2, 3"]


def test_an_estimate_has_its_interval_where_there_is_one() -> None:
    metrics: dict[str, Any] = {
        "accuracy": {"mean": 0.95, "std": 0.02, "interval": [0.91, 0.99]},
        "r2": {"mean": None, "std": None, "interval": None},
    }
    lines = [line.split() for line in drawn(results.estimates(metrics)).splitlines()]
    assert lines == [["METRIC", "MEAN", "STD", "FROM", "TO"], ["accuracy", "0.95", "0.02", "0.91", "0.99"], ["r2"]]


def test_a_curve_has_a_line_for_each_point() -> None:
    spread = {"train": {"mean": [0.1, 0.2]}, "validation": {"mean": [0.3, None]}}
    lines = [line.split() for line in drawn(results.curves([[4], 8], {"mse": spread})).splitlines()]
    assert lines == [["AT", "MSE", "TRAIN", "MSE", "VALIDATION"], ["[4]", "0.1", "0.3"], ["8", "0.2"]]


def test_a_baseline_without_metrics_says_why() -> None:
    scores = {"accuracy": 0.9, "f1_macro": 0.8, "roc_auc": 0.7, "intervals": {"accuracy": [0.85, 0.95]}}
    items: list[dict[str, Any]] = [
        {"name": "forest", "family": "classical", "metrics": {"test": scores}, "seconds": 1.5, "error": None},
        {"name": "flaml", "family": "automl", "metrics": {}, "seconds": 2.0, "error": "No time."},
    ]
    lines = [" ".join(line.split()) for line in drawn(results.baselines(items)).splitlines()]
    assert lines == [
        "NAME FAMILY TEST ACCURACY TEST F1_MACRO SECONDS",
        "forest classical 0.9 [0.85, 0.95] 0.8 1.5",
        "flaml automl 2 No time.",
    ]


def test_a_difference_has_its_sign() -> None:
    item = {"name": "forest", "family": "classical", "value": 0.9, "difference": 0.05, "metric": "accuracy"}
    line = drawn(results.standing([{**item, "split": "test", "job": "j"}])).splitlines()[1]
    assert line.split() == ["forest", "classical", "0.9", "+0.0500", "accuracy", "on", "test", "rows", "j"]


def test_a_check_says_what_to_try_and_does_not_act_on_the_terminal() -> None:
    items = [{"check": "data", "verdict": "not_applicable", "detail": "No\x1b[2J rows.", "try": ["more", "rows"]}]
    line = drawn(results.checks(items)).splitlines()[1]
    assert line.split()[:3] == ["data", "not", "applicable"]
    assert line.rstrip().endswith("more; rows")
    assert "\x1b" not in line
