"""`--set dropout=0.1` and `--training optimizer.name=sgd`: settings typed on the command line."""

import json
from collections.abc import Sequence
from typing import Any

import typer


def assignments(texts: Sequence[str], option: str) -> dict[str, Any]:
    """`["a=1", "b.c=x"]` as `{"a": 1, "b": {"c": "x"}}`; points in a key lead into nested objects.

    A value is JSON where it parses as such, and text otherwise. Raises BadParameter for an entry without
    `=`, a key given twice, or one that is both a value and an object.
    """
    settings: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        *parents, last = key.split(".")
        if not equals or not all([*parents, last]):
            raise typer.BadParameter(f"{text!r} is not of the form key=value", param_hint=option)
        place = settings
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise typer.BadParameter(f"{key} lies inside {parent}, which has a value already", param_hint=option)
        if last in place:
            raise typer.BadParameter(f"{key} is given twice", param_hint=option)
        place[last] = value_of(value)
    return settings


def domains(texts: Sequence[str], option: str) -> dict[str, Any]:
    """`["training.l2=1e-6:0.1:log", "training.batch_size=16:128:16"]` as ranges by path; JSON as it is.

    Raises BadParameter for an entry without `=`, a path given twice, or a domain that is neither a range nor JSON.
    """
    found: dict[str, Any] = {}
    for text in texts:
        path, equals, domain = text.partition("=")
        if not equals or not path:
            raise typer.BadParameter(f"{text!r} is not of the form path=domain", param_hint=option)
        if path in found:
            raise typer.BadParameter(f"{path} is given twice", param_hint=option)
        found[path] = _domain(domain, option)
    return found


def _domain(text: str, option: str) -> Any:
    value = value_of(text)
    if isinstance(value, list | dict):
        return value
    low, _, rest = text.partition(":")
    high, _, how = rest.partition(":")
    try:
        ends = {"low": float(low), "high": float(high)}
        return ends | ({"log": True} if how == "log" else {"step": float(how)} if how else {})
    except ValueError as error:
        msg = f"{text!r} is no LOW:HIGH, LOW:HIGH:log, LOW:HIGH:STEP, [choices] or JSON object"
        raise typer.BadParameter(msg, param_hint=option) from error


def rows(text: str) -> list[Any]:
    """Inputs of a prediction as JSON: a list of rows. Raises BadParameter."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--rows") from error
    if not isinstance(value, list) or not value:
        raise typer.BadParameter("give a list of rows, such as [[5.1, 3.5, 1.4, 0.2]]", param_hint="--rows")
    return value


def value_of(text: str) -> Any:
    """JSON where the text parses as such, and the text itself otherwise."""
    try:
        return json.loads(text, parse_constant=_not_json)
    except ValueError:
        return text


def _not_json(constant: str) -> Any:
    """`NaN` and `Infinity`, which Python's reader would take, are no JSON."""
    raise ValueError(constant)
