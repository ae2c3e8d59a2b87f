"""The classes that a conditional model is asked for, by name, as the indices that its graphs take."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from services.errors import FieldError, Invalid
from services.serving.generation import codes

MOST_NAMED = 20

Label = str | int


def read(label: Label | Sequence[Label] | None, n: int, generative: dict[str, Any]) -> np.ndarray | None:
    """int64 (n,), of one class for all or of one for each; None of a model that knows no classes.

    Raises `Invalid` naming `label`: one that is unknown, missing or not wanted, or not as many as there are samples.
    """
    if not generative["conditional"]:
        if label is not None:
            raise _wrong("label_unexpected", "this model is not conditional; leave the label out")
        return None
    classes = list(generative["classes"])
    known = ", ".join(classes[:MOST_NAMED]) + (", …" if len(classes) > MOST_NAMED else "")
    if label is None:
        raise _wrong("label_missing", f"this model is conditional; name a class: {known}")
    names = [label] * n if isinstance(label, str | int) else label
    if len(names) != n:
        raise _wrong("label_count", f"{len(names)} labels for {n} samples; give one for all or one for each")
    places = {name: place for place, name in enumerate(classes)}
    for index, name in enumerate(names):
        if str(name) not in places:
            place = [] if isinstance(label, str | int) else [index]
            raise _wrong("label_unknown", f"there is no class {str(name)[:100]!r}; the classes are {known}", *place)
    return np.array([places[str(name)] for name in names], np.int64)


def chosen(label: Label | Sequence[Label] | None, n: int, seed: int, generative: dict[str, Any]) -> np.ndarray | None:
    """The same where all classes are drawn alike if none is asked for."""
    if label is None and generative["conditional"]:
        return codes.draw_classes(seed, n, len(generative["classes"]))
    return read(label, n, generative)


def _wrong(code: str, msg: str, *place: int) -> Invalid:
    wrong: FieldError = {"loc": ["body", "label", *place], "msg": msg}
    return Invalid(code, f"label: {msg}", [wrong])
