"""What a search has found, on a terminal."""

from typing import Any

from client import searches
from tests.client.screen import drawn

TRIAL: dict[str, Any] = {
    "number": 0,
    "state": "succeeded",
    "pruned": False,
    "best": True,
    "values": {"val_accuracy": 0.98765},
    "parameters": {"training.optimizer.learning_rate": 0.012345, "hyperparameters.hidden_dims": [8, 4]},
    "epochs": 3,
    "seconds": 1.5,
    "error": None,
}


def test_a_trial_is_one_line_and_the_best_has_a_star() -> None:
    failed = {**TRIAL, "number": 1, "state": "failed", "best": False, "values": None, "error": {"detail": "a\x1bb"}}
    text = drawn(searches.trials([TRIAL, failed, {**TRIAL, "number": 2, "pruned": True, "best": False}]))
    lines = text.splitlines()
    assert lines[1].split() == ["*", "0", "succeeded", "0.9877", "0.01235", "[8,", "4]", "3", "1.5"]
    assert "a\\x1bb" in lines[2]
    assert "pruned" in lines[3]


def test_findings_are_the_best_trial_and_what_mattered() -> None:
    best = {"number": 4, "values": {"val_accuracy": 0.9}, "parameters": {"training.l2": 0.01}}
    text = drawn(searches.findings({"best": best, "importance": {"training.l2": 0.625}}))
    assert "TRIAL 4" in text
    assert "62%" in text
