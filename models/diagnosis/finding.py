"""What a check comes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from models.run import ProducedFile

Verdict = Literal["good", "suspicious", "bad", "not_applicable"]
_BY_WEIGHT: tuple[Verdict, ...] = ("not_applicable", "good", "suspicious", "bad")


@dataclass(frozen=True)
class Finding:
    """A verdict, the sentence that says what it rests on, and the numbers."""

    verdict: Verdict
    detail: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()
    """What to try."""
    files: tuple[ProducedFile, ...] = ()

    def said(self, check: str) -> dict[str, Any]:
        """The finding as a part of the job's result."""
        return {
            "check": check,
            "verdict": self.verdict,
            "detail": self.detail,
            "try": list(self.remedies) if self.verdict in ("suspicious", "bad") else [],
            "numbers": dict(self.numbers),
            "files": [file.name for file in self.files],
        }


def not_applicable(why: str) -> Finding:
    """The finding of a check that has nothing to say here."""
    return Finding("not_applicable", why)


def above(value: float, suspicious: float, bad: float) -> Verdict:
    """The verdict on a number that should be small. What is not a number is bad."""
    return "good" if value < suspicious else "suspicious" if value < bad else "bad"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The gravest of some verdicts."""
    return max(verdicts, key=_BY_WEIGHT.index, default="not_applicable")
