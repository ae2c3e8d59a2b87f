"""What every reader gets: the upload, how to read it, the limits, and the job's line to its supervisor."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

from models.errors import JobError
from models.masks import MAX_CLASSES
from models.run import DecodeImage, FitImage, Reporter, obey

Task = Literal["classification", "regression", "segmentation", "tagging", "translation", "forecasting"]
Gaps = Literal["refuse", "interpolate"]

MAX_NAME_CHARACTERS = 200
UNLABELLED = "unlabelled"
"""The option that is an empty `target`."""


@dataclass(frozen=True)
class Limits:
    """How much an upload may ask of the machine. `Limits.of` takes the job's, and these where it has none."""

    max_archive_entries: int = 80_000
    max_pixels: int = 50_000_000
    max_decompressed_bytes: int = 20 * 2**30

    @classmethod
    def of(cls, limits: Mapping[str, int]) -> "Limits":
        """The limits that bear on reading; others are left out."""
        return cls(**{name.name: limits[name.name] for name in fields(cls) if name.name in limits})


@dataclass(frozen=True)
class ReadOptions:
    """How to read an upload. None means: find out from the data."""

    target: str | None = None
    """Target column of a table; empty for data without targets. Of pairs and tagged words, its number from 1."""
    task: Task | None = None
    image_size: tuple[int, int] | None = None
    """(height, width)."""
    channels: int | None = None
    classes: tuple[str, ...] | None = None
    """Names of the classes of masks, by index."""
    time: str | None = None
    """Column of a series that holds the times."""
    series: str | None = None
    """Column that names the series that a row belongs to."""
    known_ahead: tuple[str, ...] | None = None
    """Columns of a series that are known in advance, such as holidays."""
    gaps: Gaps = "refuse"
    """What to do with times and values that a series lacks."""
    fractions: dict[str, float] = field(default_factory=dict)
    """Share of the training samples to set aside, by split name: `test`, `validation`."""

    @classmethod
    def parse(cls, options: Mapping[str, Any]) -> "ReadOptions":
        """Read the `options` of an ingest request.

        Raises:
            JobError: `options_invalid`, naming the option.
        """
        given = {name: value for name, value in options.items() if value is not None}
        unknown = given.keys() - {each.name for each in fields(cls) if each.name != "fractions"} - {"split"}
        if unknown:
            raise _invalid(f"There is no option {sorted(unknown)[0]!r}.")
        if given.get("task") not in (None, *get_args(Task)):
            raise _invalid(f"`task` is {', '.join(get_args(Task))}, not {given['task']!r}.")
        if given.get("channels") not in (None, 1, 3):
            raise _invalid(f"`channels` is 1 or 3, not {given['channels']!r}.")
        for name in ("target", "time", "series"):
            if not isinstance(given.get(name, ""), str):
                raise _invalid(f"`{name}` is the name of a column.")
        if given.get("gaps", "refuse") not in get_args(Gaps):
            raise _invalid(f"`gaps` is {' or '.join(get_args(Gaps))}, not {given['gaps']!r}.")
        return cls(
            target=given.get("target"),
            task=given.get("task"),
            image_size=_parse_size(given["image_size"]) if "image_size" in given else None,
            channels=given.get("channels"),
            classes=_parse_classes(given["classes"]) if "classes" in given else None,
            time=given.get("time"),
            series=given.get("series"),
            known_ahead=_parse_names("known_ahead", given["known_ahead"]) if "known_ahead" in given else None,
            gaps=given.get("gaps", "refuse"),
            fractions=_parse_fractions(given.get("split", {})),
        )

    def check_task(self, what: str, *possible: Task) -> None:
        """Refuse a task that the upload is not for.

        Raises:
            JobError: `options_invalid`.
        """
        if self.task not in (None, *possible):
            raise _invalid(f"`task` is {self.task}, and {what} for {' or '.join(possible)}; leave it out.")

    def check_heeded(self, format: str, heeded: Collection[str]) -> None:
        """Refuse an option that a format does not heed; where `UNLABELLED` is heeded, `target` can only be empty.

        Raises:
            JobError: `options_invalid`, naming the option.
        """
        given = {each.name for each in fields(self) if getattr(self, each.name) != each.default} - {"task", "fractions"}
        if UNLABELLED in heeded and "target" in given:
            if not self.unlabelled:
                raise _invalid(
                    f"The format {format} has no columns: `target` can only be empty, if there are no labels."
                )
            given.remove("target")
        for name in sorted(given.difference(heeded)):
            raise _invalid(f"`{name}` is no option of the format {format}; leave it out.")

    @property
    def of_series(self) -> bool:
        """Whether an option is given that only a series has."""
        return any((self.time, self.series, self.known_ahead)) or self.gaps != "refuse"

    @property
    def unlabelled(self) -> bool:
        """Whether the upload is said to have no targets."""
        return self.target == ""


@dataclass(frozen=True)
class Source:
    """An upload to be read."""

    path: Path
    options: ReadOptions
    limits: Limits
    scratch: Path
    """Directory for files that are only needed while reading."""
    report: Reporter
    decode_image: DecodeImage
    fit_image: FitImage

    def progress(self, fraction: float) -> None:
        """Say how much has been read, and obey a wish to stop.

        Raises:
            Stopped: the user wishes to cancel or to pause.
        """
        obey(self.report)
        self.report.progress(min(fraction, 1.0))


def _parse_size(size: Any) -> tuple[int, int]:
    pair = [size, size] if isinstance(size, int) else size
    if not isinstance(pair, list | tuple) or len(pair) != 2 or not all(isinstance(side, int) for side in pair):
        raise _invalid("`image_size` is a number of pixels or a pair [height, width].")
    if not all(1 <= side <= 1024 for side in pair):
        raise _invalid(f"`image_size` is from 1 to 1,024 pixels a side, not {size!r}.")
    return pair[0], pair[1]


def _parse_names(option: str, names: Any) -> tuple[str, ...]:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise _invalid(f"`{option}` is a list of names.")
    return tuple(names)


def _parse_classes(given: Any) -> tuple[str, ...]:
    names = _parse_names("classes", given)
    if not 2 <= len(names) <= MAX_CLASSES or len(set(names)) < len(names):
        raise _invalid(f"`classes` has from 2 to {MAX_CLASSES} names, each once.")
    if any(len(name) > MAX_NAME_CHARACTERS for name in names):
        raise _invalid(f"The names in `classes` have at most {MAX_NAME_CHARACTERS} characters.")
    return names


def _parse_fractions(split: Any) -> dict[str, float]:
    if not isinstance(split, Mapping) or set(split) - {"test", "validation"}:
        raise _invalid("`split` has the keys `test` and `validation`, each a fraction of the samples.")
    fractions = {name: float(split[name]) for name in ("test", "validation") if split.get(name)}
    if not all(0 < fraction <= 0.5 for fraction in fractions.values()) or sum(fractions.values()) >= 1:
        raise _invalid("The fractions of `split` are at most 0.5 each and leave something to train on.")
    return fractions


def _invalid(detail: str) -> JobError:
    return JobError("options_invalid", detail)
