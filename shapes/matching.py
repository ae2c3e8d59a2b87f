"""Whether a version can be asked about a data set: its inputs are what it takes, and its classes those that it knows.

`signature` is the version's, `manifest` the data set's. What is wrong is said of the data set: "lacks the column 'age'
that the model takes".
"""

from collections.abc import Mapping, Sequence
from typing import Any

MAX_NAMED = 10


def unlike(signature: Mapping[str, Any], manifest: Mapping[str, Any]) -> str | None:
    """Why the inputs cannot be given to the version; None where they can.

    Images are fitted. Columns are matched by name and categories by their own names: their order may differ, a column
    more is left out, and a category that the model has not seen is missing.
    """
    expected, given = signature["input"], manifest["input"]
    if manifest["modality"] != signature["modality"]:
        return f"holds {manifest['modality']} data, and the model takes {signature['modality']} data"
    if "tokenizer" in expected:
        return _unlike_text(expected["tokenizer"]["unit"], given)
    if "horizon" in expected and manifest["task"] != "forecasting":
        return "holds no series to forecast, and the model forecasts series"
    if given["dtype"] != expected["dtype"] or len(given["shape"]) != len(expected["shape"]):
        return (
            f"has inputs of {given['dtype']} and the shape {given['shape']}, "
            f"and the model takes {expected['dtype']} of the shape {expected['shape']}"
        )
    if manifest["modality"] == "image":
        return None
    if "horizon" not in expected and given["shape"][:-1] != expected["shape"][:-1]:
        return f"has rows of {given['shape'][0]} steps, and the model takes {expected['shape'][0]}"
    if "columns" in expected:
        return _unlike_columns(given["columns"], expected["columns"])
    if given["shape"] != expected["shape"]:
        return f"has {given['shape'][-1]} columns, and the model takes {expected['shape'][-1]}"
    return None


def unknown_classes(given: Sequence[str], expected: Sequence[str]) -> str | None:
    """The classes of the data set that are not among the model's; None without any."""
    unknown = [label for label in given if label not in expected]
    if not unknown:
        return None
    return (
        f"has classes that the model does not know: {', '.join(unknown[:MAX_NAMED])}; "
        f"it knows {', '.join(expected[:MAX_NAMED])}"
    )


def _unlike_text(unit: str, given: Mapping[str, Any]) -> str | None:
    is_words = list(given["shape"]) != []
    if is_words == (unit == "given"):
        return None
    wanted = "whole texts, such as `text-classes`" if is_words else "tagged words, the format `conll`"
    return f"is not of the texts that the model takes; upload {wanted}"


def _unlike_columns(given: Sequence[Mapping[str, Any]], expected: Sequence[Mapping[str, Any]]) -> str | None:
    kinds = {column["name"]: column["kind"] for column in given}
    for column in expected:
        name, kind = column["name"], column["kind"]
        if name not in kinds:
            return f"lacks the column {name!r} that the model takes"
        if kinds[name] != kind:
            return f"has {kinds[name]} values in the column {name!r}, and the model takes it as {kind}"
    return None
