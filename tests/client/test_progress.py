"""A job's progress drawn from its events."""

import io

from rich.console import Console

from client.events import JobEvent
from client.progress import JobProgress, follow


def event(kind: str, **data: object) -> JobEvent:
    return JobEvent("1", kind, data)


RUN = [
    event("state", state="queued", attempt=0),
    event("state", state="running", attempt=1),
    event("metric", series="train_loss", step=10, value=1.5),
    event("progress", fraction=0.25, epoch=1, step=10, eta_seconds=75.0),
    event("metric", series="val_accuracy", step=20, value=0.9),
    event("log", level="warning", message="loss is \x1b[31mhigh"),
    event("log", level="info", message="epoch 1 of 2: val_accuracy 0.9"),
    event("artifact", name="samples-epoch-0001.png", media_type="image/png", size=10),
    event("invented", later=True),
    event("progress", fraction=0.5, epoch=2, step=20, eta_seconds=3.0),
    event("state", state="interrupted", attempt=1, reason="child_killed"),
    event("state", state="running", attempt=2),
    event("state", state="succeeded", attempt=2),
]


def shown(*, terminal: bool, width: int = 100) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None)
    follow(console, iter(RUN), "train")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def last_frame(width: int) -> str:
    return [line for line in shown(terminal=True, width=width).splitlines() if "train" in line][-1]


def test_off_a_terminal_there_is_a_line_a_state_and_a_line_a_log_entry() -> None:
    assert shown(terminal=False).splitlines() == [
        "train queued",
        "train running",
        "train loss is \\x1b[31mhigh",
        "train epoch 1 of 2: val_accuracy 0.9",
        "train artifact samples-epoch-0001.png",
        "train interrupted: child_killed",
        "train running (attempt 2)",
        "train succeeded (attempt 2)",
    ]


def test_on_a_terminal_only_warnings_stand_above_the_moving_line() -> None:
    text = shown(terminal=True)
    assert "loss is \\x1b[31mhigh" in text
    assert "epoch 1 of 2" not in text


def test_on_a_terminal_the_last_frame_shows_the_end() -> None:
    last = last_frame(width=120)
    assert "train succeeded (attempt 2)" in last
    assert "val accuracy 0.9" in last


def test_on_a_narrow_terminal_what_does_not_fit_is_left_out_whole() -> None:
    last = last_frame(width=70)
    assert "100 %" in last
    assert "epoch 2" in last
    assert "val accuracy" not in last


def test_unknown_events_and_missing_values_are_passed_over() -> None:
    progress = JobProgress()
    for item in (event("trial", number=1), event("state"), event("metric", series="train_loss", value=None)):
        progress.apply(item)
    assert (progress.state, progress.figures(100)) == ("queued", "loss nan")
