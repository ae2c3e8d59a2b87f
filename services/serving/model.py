"""What serving needs to know of a model's version."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, eq=False)
class ServedModel:
    """One file to be served: a variant of a version of a model."""

    name: str
    version: int
    variant: str
    """`""` for the version's own file."""
    sha256: str
    path: Path
    signature: dict[str, Any]
    trusted: bool
    """Whether its graph was exported by this service, and not sent in by a user."""
    bounded: bool
    """Whether one run is sure to end: the graph has no loop."""

    key: tuple[str, int, str, str] = field(init=False)
    """What tells it from every other."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.name, self.version, self.variant, self.sha256))
