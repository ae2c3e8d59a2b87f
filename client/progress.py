"""A job's progress as it happens, drawn from its event stream.

On a terminal it is one line that moves; elsewhere (a file, CI) a line a state, a line a log entry, of which training
makes one an epoch, and a line an artifact that the running job leaves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.text import Text

from client.events import JobEvent
from client.terminal import escape

# The series shown, in this order, and the short names they are shown by.
_SHOWN_SERIES = {
    "best": "best",
    "train_loss": "loss",
    "discriminator_loss": "discriminator",
    "generator_loss": "generator",
    "val_accuracy": "val accuracy",
    "val_r2": "val R²",
    "val_loss": "val loss",
}
_BAR_WIDTH = 20
# Levels of log entries that are printed above the moving line; `syllabus jobs logs` has the others.
_NOT_TO_BE_MISSED = frozenset({"warning", "error"})


@dataclass
class JobProgress:
    """What the events so far say about a job."""

    state: str = "queued"
    reason: str | None = None
    attempt: int = 0
    fraction: float = 0.0
    epoch: int | None = None
    step: int | None = None
    eta_seconds: float | None = None
    latest: dict[str, float] = field(default_factory=dict)

    def apply(self, event: JobEvent) -> None:
        """Take in the next event; kinds and keys that are unknown here are passed over."""
        data = event.data
        if event.type == "state":
            self.state = str(data.get("state", self.state))
            self.reason = data.get("reason")
            self.attempt = data.get("attempt", self.attempt)
            if event.is_final:
                self.eta_seconds = None
                self.fraction = 1.0 if self.state == "succeeded" else self.fraction
        elif event.type == "progress":
            self.fraction = data.get("fraction", self.fraction)
            self.epoch = data.get("epoch")
            self.step = data.get("step")
            self.eta_seconds = data.get("eta_seconds")
        elif event.type == "metric":
            value = data.get("value")
            # A loss that is not finite has no JSON number.
            self.latest[str(data.get("series"))] = value if isinstance(value, int | float) else float("nan")

    def figures(self, width: int) -> str:
        """Epoch, latest values and step, as many as fit: `epoch 3  loss 0.213  val accuracy 0.941  step 120`."""
        parts = [f"epoch {self.epoch}"] if self.epoch is not None else []
        parts += [f"{short} {self.latest[name]:.3g}" for name, short in _SHOWN_SERIES.items() if name in self.latest]
        parts += [f"step {self.step}"] if self.step is not None else []
        while len("  ".join(parts)) > width:
            parts.pop()
        return "  ".join(parts)

    def headline(self) -> str:
        """The state, its attempt after the first, and why."""
        attempt = f" (attempt {self.attempt})" if self.attempt > 1 else ""
        return self.state + attempt + (f": {escape(self.reason)}" if self.reason else "")


def follow(console: Console, events: Iterable[JobEvent], title: str) -> JobProgress:
    """Show a job's events until they end; returns what they came to."""
    return _follow_live(console, events, title) if console.is_terminal else _follow_lines(console, events, title)


def _follow_live(console: Console, events: Iterable[JobEvent], title: str) -> JobProgress:
    progress = JobProgress()
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=_BAR_WIDTH),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[eta]}", style="dim"),
        TextColumn("{task.fields[figures]}", markup=False),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"{escape(title)} queued", total=1.0, figures="", eta="")
        for event in events:
            progress.apply(event)
            if event.type == "log" and event.data.get("level") in _NOT_TO_BE_MISSED:
                _print_line(console, str(event.data.get("message", "")))
            description, eta = f"{escape(title)} {progress.headline()}", _remaining(progress.eta_seconds)
            # Figures that do not fit are left out whole; rich would cut every column a little.
            room = max(0, console.width - len(description) - _BAR_WIDTH - len(eta) - len("100 %    "))
            figures = progress.figures(room)
            bar.update(task, description=description, completed=progress.fraction, figures=figures, eta=eta)
    return progress


def _follow_lines(console: Console, events: Iterable[JobEvent], title: str) -> JobProgress:
    progress = JobProgress()
    for event in events:
        progress.apply(event)
        if event.type == "state":
            _print_line(console, f"{title} {progress.headline()}")
        elif event.type == "log":
            _print_line(console, f"{title} {event.data.get('message', '')}")
        elif event.type == "artifact":
            _print_line(console, f"{title} artifact {event.data.get('name', '')}")
    return progress


def _print_line(console: Console, line: str) -> None:
    console.print(Text(escape(line)), soft_wrap=True)


def _remaining(seconds: float | None) -> str:
    """`12 s left`, `3 min 5 s left`, `2 h 10 min left`."""
    if seconds is None:
        return ""
    minutes, whole_seconds = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min left"
    return f"{minutes} min {whole_seconds} s left" if minutes else f"{whole_seconds} s left"


class UploadBar:
    """A bar of bytes sent; call it as `Datasets.upload`'s `on_progress`. Silent off a terminal."""

    def __init__(self, console: Console, title: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR_WIDTH),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID = self._progress.add_task(escape(title), total=None)

    def __enter__(self) -> "UploadBar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, sent: int, total: int) -> None:
        self._progress.update(self._task, completed=sent, total=total)
