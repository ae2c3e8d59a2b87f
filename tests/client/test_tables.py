"""Records drawn as tables."""

from typing import Any

import pytest
from rich.console import Console, RenderableType

from client import tables


def drawn(renderable: RenderableType) -> str:
    console = Console(width=160, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


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


def test_metrics_stand_side_by_side() -> None:
    columns: dict[str, dict[str, Any]] = {
        "test": {"accuracy": 0.98765, "confusion_matrix": [[1]]},
        "random baseline": {"accuracy": 0.1},
    }
    assert [line.split() for line in drawn(tables.metrics(columns)).splitlines()] == [
        ["METRIC", "TEST", "RANDOM", "BASELINE"],
        ["accuracy", "0.9877", "0.1"],
    ]


def test_probabilities_are_drawn_to_scale() -> None:
    item = {
        "label": "3",
        "probability": 0.75,
        "top_k": [{"label": "3", "probability": 0.75}, {"label": "8", "probability": 0.25}],
    }
    first, second = drawn(tables.predictions([item], width=8)).splitlines()[1:]
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
    first, second = drawn(tables.variants(items)).splitlines()[1:]
    assert first.split() == ["int8", "yes", "1.0", "kB", "25%", "0.5", "2", "0.0025"]
    assert second.split() == ["fp16", "no", "No", "layer."]


def test_estimated_values_need_no_bar() -> None:
    assert drawn(tables.predictions([{"value": 151.25}])).splitlines()[1].split() == ["0", "151.2"]


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


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (5_300_000, "5.3 MB"), (10**16, "10000.0 TB")],
)
def test_sizes_are_in_powers_of_a_thousand(size: int | None, text: str) -> None:
    assert tables.byte_size(size) == text
