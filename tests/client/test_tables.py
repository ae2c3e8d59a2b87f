"""Records drawn as tables."""

from client import tables
from tests.client.screen import drawn


def test_a_data_set_that_is_still_read_in_has_gaps() -> None:
    text = drawn(tables.datasets([{"name": "flowers", "state": "ingesting", "splits": None, "classes": None}]))
    assert text.splitlines()[1].split() == ["flowers", "ingesting", "uploaded"]


def test_a_data_set_counts_the_samples_of_all_splits() -> None:
    item = {
        "name": "digits",
        "state": "ready",
        "modality": "image",
        "task": "classification",
        "splits": {"train": {"count": 1000}, "test": {"count": 797}},
        "classes": ["0", "1"],
        "bytes": 115_000,
        "builtin": True,
    }
    line = drawn(tables.datasets([item])).splitlines()[1]
    assert line.split() == ["digits", "ready", "image", "classification", "1797", "2", "115.0", "kB", "built-in"]


def test_a_job_says_what_it_works_on() -> None:
    request = {"kind": "train", "architecture": "lenet", "dataset": "digits", "model": "m"}
    item = {"id": "1", "kind": "train", "state": "running", "request": request, "progress": {"fraction": 0.25}}
    line = drawn(tables.jobs([item | {"created_at": "2026-11-23T14:31:02.123456Z"}])).splitlines()[1]
    assert line.split() == ["1", "train", "running", "25%", "lenet", "digits", "m", "2026-11-23", "14:31:02"]


def test_nothing_in_a_record_acts_on_the_terminal() -> None:
    item = {"name": "\x1b[2Jx", "state": "ready\x07", "modality": "[bold]\n", "task": None}
    text = drawn(tables.datasets([item])) + drawn(tables.details(item)) + drawn(tables.models([item]))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[bold]\\n" in text


def test_a_hyperparameter_shows_its_default_and_bounds() -> None:
    schema = {
        "properties": {
            "dropout": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.1, "description": "Rate."},
            "activation": {"enum": ["relu", "tanh"], "default": "relu"},
        }
    }
    lines = drawn(tables.hyperparameters(schema)).splitlines()
    assert lines[1].split("  ")[0] == "dropout"
    assert "≥ 0 and < 1" in lines[1]
    assert "relu | tanh" in lines[2]
