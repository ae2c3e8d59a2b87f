"""What an evaluation tells, drawn for a terminal."""

from typing import Any

from client import evaluations
from tests.client.screen import drawn

RESULT: dict[str, Any] = {
    "calibration": {"temperature": 2.5, "before": {"ece": 0.2, "mce": 0.4}, "after": {"ece": 0.05, "mce": 0.1}},
    "hardest": [
        {"row": 7, "loss": 3.21, "true": "a\x1b[2J", "predicted": "b", "probability": 0.96},
        {"row": 9, "loss": 1.5, "true": {"ground": 0.25, "cell": 0.75}, "predicted": {"ground": 1.0}},
    ],
    "drift": {
        "verdict": {"drift": "small", "detail": "One moved.", "try": ["look"]},
        "columns": [
            {
                "name": "age",
                "psi": 0.08,
                "adjusted_p_value": 0.001,
                "drifted": True,
                "reference": {"mean": 1.5, "std": 1.0, "missing": 0},
                "new": {"mean": 2.5, "std": 1.0, "missing": 0},
            },
            {
                "name": "town",
                "psi": 0.0,
                "adjusted_p_value": 1.0,
                "drifted": False,
                "reference": {"x": 0.75, "y": 0.25},
                "new": {},
            },
        ],
    },
    "comparison": {
        "metrics": {
            "accuracy": {"first": 0.9, "second": 0.8, "difference": 0.1, "interval": [0.05, 0.15]},
            "roc_auc": {"first": 1.0, "second": 1.0, "difference": 0.0, "interval": None},
        },
        "verdict": {"better": "first", "detail": "It is."},
    },
}


def lines_of(result: dict[str, Any]) -> list[str]:
    text = "".join(drawn(part) for part in evaluations.drawn(result))
    return [" ".join(line.split()) for line in text.splitlines()]


def test_all_parts_are_drawn_one_after_the_other() -> None:
    lines = lines_of(RESULT)
    assert "\x1b" not in "".join(lines)
    assert lines[0] == "CALIBRATION AS ANSWERED AT TEMPERATURE 2.5"
    assert lines[1:3] == ["ece 0.2 0.05", "mce 0.4 0.1"]
    assert lines[3] == "HARDEST ROW LOSS TRUE PREDICTED PROBABILITY"
    assert lines[5] == "9 1.5 cell 75% ground 100%"
    assert lines[7] == "age 0.08 0.001 yes 1.5 2.5"
    assert lines[8] == "town 0 1 no x 75%, y 25%"
    assert lines[9] == "drift small: One moved. Try: look."
    assert lines[11:] == ["accuracy 0.9 0.8 0.1 [0.05, 0.15]", "roc_auc 1 1 0", "better first: It is."]


def test_what_there_is_not_is_left_out() -> None:
    assert lines_of({"metrics": {}}) == []
    without = {"temperature": None, "before": {"ece": 0.2}, "after": None}
    unknown = {"verdict": {"drift": "unknown", "detail": "Nothing to compare with.", "try": []}}
    result: dict[str, Any] = {"calibration": without, "hardest": [], "drift": unknown, "comparison": None}
    assert lines_of(result) == ["CALIBRATION AS ANSWERED", "ece 0.2", "drift unknown: Nothing to compare with."]
