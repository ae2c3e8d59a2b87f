"""From a network's outputs to answers in the terms of its task."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.errors import Invalid

Prediction = dict[str, Any]


def name_answers(
    signature: dict[str, Any], names: Sequence[str], outputs: Sequence[np.ndarray], top_k: int
) -> list[Prediction]:
    """One prediction a row: of a classifier the `top_k` best classes, of a regression a value, else all outputs.

    Raises `Invalid` naming the input whose answer is not a finite number.
    """
    if signature["task"] == "classification":
        labels = signature["labels"]
        return [_classified(index, row, labels, top_k) for index, row in enumerate(outputs[0].tolist())]
    if signature["task"] == "regression":
        return [{"value": _finite(index, value)} for index, value in enumerate(outputs[0].reshape(-1).tolist())]
    for output in outputs:
        if output.dtype.kind == "f":  # JSON has no text for what is not finite
            for index in np.flatnonzero(~np.isfinite(output).reshape(len(output), -1).all(axis=1))[:1].tolist():
                _finite(index, math.nan)
    rows = zip(*(output.tolist() for output in outputs), strict=True)
    return [{"outputs": dict(zip(names, row, strict=True))} for row in rows]


def _classified(index: int, probabilities: list[float], labels: Sequence[str], top_k: int) -> Prediction:
    _finite(index, sum(probabilities))
    # Python's sort is stable, so that equal probabilities come in the order of the classes.
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:top_k]
    best = order[0]
    return {
        "label": labels[best],
        "index": best,
        "probability": probabilities[best],
        "top_k": [{"label": labels[place], "probability": probabilities[place]} for place in order],
    }


def _finite(index: int, value: float) -> float:
    if not math.isfinite(value):
        msg = "the model's answer is not a finite number; the input is far from what it was trained on"
        raise Invalid(
            "prediction_not_finite", f"inputs[{index}]: {msg}", [{"loc": ["body", "inputs", index], "msg": msg}]
        )
    return value
