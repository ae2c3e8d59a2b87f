"""What a job's child process runs: one function from a context to an outcome.

The supervisor builds a `JobContext`, the child calls `run`, and the supervisor records the `Outcome`.
Nothing here imports torch: the module of the job's kind does, when the job begins.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar

from models.errors import UnknownName
from shapes.jobs import KINDS

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

Part = TypeVar("Part")
Wish = Literal["cancel", "pause"]
DecodeImage = Callable[[bytes], "Image"]
EncodePng = Callable[["np.ndarray[Any, Any]"], bytes]


class FitImage(Protocol):
    """Brings an image to uint8 (channels, height, width), at ingest and at prediction alike."""

    def __call__(
        self, image: "Image", channels: int, size: tuple[int, int], how: str = "crop"
    ) -> "np.ndarray[Any, Any]":
        """`how`: `crop` what does not fit the proportions of the size, or `stretch` the whole image to it."""


class Reporter(Protocol):
    """The job's line to its supervisor. Every call is cheap enough to make between two training steps."""

    def progress(
        self,
        fraction: float,
        *,
        epoch: int | None = None,
        step: int | None = None,
        eta_seconds: float | None = None,
    ) -> None:
        """Say how much of the job is done, from 0 to 1."""

    def metric(self, series: str, step: int, value: float) -> None:
        """Add a point to a series such as `train_loss`."""

    def log(self, message: str, *, level: str = "info") -> None:
        """Add a line to the job's log."""

    def artifact(self, file: "ProducedFile") -> None:
        """Keep a file while the job goes on; a later one of the same name takes its place.

        Raises:
            OSError: it cannot be stored, as on a full disk.
        """

    def suggested(self, parameters: dict[str, Any], attributes: dict[str, Any]) -> None:
        """trial: say what the sampler chose, values by path, before anything is trained with it.

        `attributes` is what the sampler keeps with the trial. Later attempts of the trial are given the same.
        """

    def wish(self) -> Wish | None:
        """What the user asked for meanwhile: to cancel, to pause, or nothing."""


class Candidate(NamedTuple):
    """A model version."""

    model: Path
    """Its ONNX file."""
    version: dict[str, Any]
    """Its record."""


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What a job is to do and with what: plain data, which can be sent to another process."""

    kind: str
    request: dict[str, Any]
    """The job's request, names resolved; `hyperparameters` and `training` hold what the user gave."""
    attempt: int
    scratch: Path
    """An empty directory of this attempt; produced files go here."""
    checkpoints: Path
    """A directory that outlives the attempts of this job."""
    checkpoint_interval_seconds: float
    threads: int
    """CPU threads to compute with."""
    dataset: Path | None = None
    """The data set's directory, of a kind that works on one; None for a version that has none."""
    upload: Path | None = None
    """ingest, register: the uploaded file; None for a built-in data set."""
    model: Path | None = None
    """evaluate, infer, optimize, explain: the ONNX file."""
    weights: Path | None = None
    """explain: the weights that the version's train job left."""
    version: dict[str, Any] | None = None
    """evaluate, infer, optimize, explain: the model version's record."""
    others: tuple[Candidate, ...] = ()
    """evaluate: the versions that it is compared with."""
    reference: Path | None = None
    """evaluate: the directory of the data set that the version was trained on, if that is still there."""
    study: dict[str, Any] | None = None
    """trial, search: `{"id": the search's, "number": the trial's or None, "trials": [record…]}`, with a record
    `{"number", "state", "parameters", "values", "intermediate", "attributes", "warm", "error", "seconds"}` for every
    trial so far."""
    baselines: list[dict[str, Any]] = field(default_factory=list)
    """train, search: what is stored of other learners on the same rows, `{"job", "name", "family", "task",
    "metrics": {split: {metric: value}}}` each."""
    limits: dict[str, int] = field(default_factory=dict)
    """ingest: max_archive_entries, max_pixels, max_decompressed_bytes and the like."""


@dataclass(frozen=True)
class ProducedFile:
    """A file the job leaves behind; it becomes one of the job's artifacts."""

    name: str
    path: Path
    media_type: str


@dataclass(frozen=True, kw_only=True)
class JobContext(Assignment):
    """All that a job may know and touch."""

    report: Reporter
    decode_image: DecodeImage
    fit_image: FitImage
    encode_png: EncodePng
    """Turns class indices (height, width), or an image (channels, height, width), into a PNG file."""

    def write_report(self, content: Mapping[str, Any]) -> ProducedFile:
        """Leave `report.json`, which says all of a job's result, and more than that where it is too much for one."""
        path = self.scratch / "report.json"
        path.write_text(json.dumps(content, indent=2))
        return ProducedFile(path.name, path, "application/json")


@dataclass(frozen=True)
class Outcome:
    """What a job came to."""

    result: dict[str, Any]
    files: tuple[ProducedFile, ...] = ()
    version: dict[str, Any] | None = None
    """train, register: the record of the new model version; the file named `model.onnx` is its graph."""
    variants: list[dict[str, Any]] | None = None
    """optimize: the accepted variants of the version, `{"name", "file", "report"}` each."""
    dataset: Path | None = None
    """ingest: a directory in scratch, moved into place by the supervisor."""
    manifest: dict[str, Any] | None = None
    trial: dict[str, Any] | None = None
    """trial: `{"pruned": bool, "values": by metric or None, "intermediate": [[step, value]…], "attributes"}`."""


class Stopped(Exception):
    """The job obeyed a wish and ended early. After `pause` a checkpoint has been saved."""

    def __init__(self, wish: Wish) -> None:
        super().__init__(wish)
        self.wish: Wish = wish


def given(part: Part | None) -> Part:
    """A part of the context that a job of this kind is always started with.

    Raises:
        TypeError: it was started without.
    """
    if part is None:
        raise TypeError("the job was started without a part of the context that its kind needs")
    return part


def obey(report: Reporter) -> None:
    """End a job that has nothing to save, if its user asked for it.

    Raises:
        Stopped: the user wishes to cancel or to pause.
    """
    wish = report.wish()
    if wish is not None:
        raise Stopped(wish)


def run(context: JobContext) -> Outcome:
    """Run the job in this process.

    Raises:
        JobError: the job failed for a reason its user can mend.
        Stopped: the job obeyed a wish to cancel or to pause.
    """
    if context.kind not in KINDS:
        raise UnknownName("job kind", context.kind, list(KINDS))
    outcome: Outcome = import_module(f"models.jobs.{context.kind}").run(context)
    return outcome
