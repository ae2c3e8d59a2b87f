"""Entities in rows of tags: `B-person` begins one, `I-person` goes on, `O` is outside (Ramshaw and Marcus 1995).

Read as `seqeval` reads them without its strict mode, and as CoNLL's own script does: an `I-` that nothing of its kind
stands before begins an entity too.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_IOB = re.compile(r"O|[BI]-.+", re.DOTALL)
OUTSIDE = "O"


class Entity(NamedTuple):
    """What is marked from one token up to, and without, another."""

    label: str
    begin: int
    end: int


def is_iob(labels: Iterable[str]) -> bool:
    """Whether classes are tags that mark entities."""
    return all(map(_IOB.fullmatch, labels))


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of a row of tags, in their order."""
    found: list[Entity] = []
    begin, label = 0, ""
    for place, tag in enumerate((*tags, OUTSIDE)):
        kind, _, own = tag.partition("-")
        if label and (kind != "I" or own != label):
            found.append(Entity(label, begin, place))
            label = ""
        if own and not label:
            begin, label = place, own
    return found
