"""What serving needs to know of a model's version, and which of its graphs answers what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from services.registry import MAIN
from shapes.tokens import Tokenizer

ENCODER, DECODER = "encoder", "decoder"
GRAPHS: Mapping[str, str] = {
    "generate": DECODER,
    "encode": ENCODER,
    "decode": DECODER,
    "reconstruct": MAIN,
    "interpolate": DECODER,
    "anomaly": MAIN,
}
"""What may be asked of a version that codes or generates, and the graph that answers; its record has its `calls`."""
SEARCHED = frozenset({"translation"})
"""Tasks whose texts are searched for, so that nothing is drawn by a seed."""


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
    steady: bool = True
    """Whether what a run costs follows from the shapes of its inputs."""
    temperature: float | None = None
    """At which the probabilities of a classifier mean what they say, if one was fitted."""
    graph: str = MAIN
    """Which of the version's graphs it is."""
    generative: dict[str, Any] | None = None
    """What the record of a version that codes or generates says of codes, classes and calls; None of any other."""

    key: tuple[str, int, str, str, str] = field(init=False)
    """What tells it from every other."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", (self.name, self.version, self.variant, self.graph, self.sha256))

    @property
    def writes(self) -> bool:
        """Whether its samples are texts."""
        return bool(self.signature["modality"] == "text")

    @property
    def repeats(self) -> bool:
        """Whether a request has to come to the same bits whatever else is asked beside it."""
        return self.graph == DECODER and self.signature["task"] not in SEARCHED


@lru_cache(64)
def tokenizer_of(model: ServedModel, side: Literal["input", "output"] = "input") -> Tokenizer:
    """That of the texts which a version reads, or of those which it writes."""
    return Tokenizer.of(model.signature[side]["tokenizer"])


@lru_cache(64)
def ranges(model: ServedModel) -> Mapping[str, int]:
    """By the names of inputs that stand for something, tokens or classes, how many there are, counted from 0.

    The nodes of trees, which are of more than one kind, have none.
    """
    found = {}
    given = model.signature.get("input", {})  # which a model of a user's own has not
    if "tokenizer" in given and given["tokenizer"]["unit"] != "tree":
        found[given["name"]] = tokenizer_of(model).num_tokens
    if (classes := (model.generative or {}).get("classes")) is not None:
        found["label"] = len(classes)
    return found
