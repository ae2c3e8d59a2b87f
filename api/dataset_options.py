"""The options of an upload: in the query, or as the JSON part `options`."""

from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.openapi import reference
from api.strict_json import loads
from services.errors import Invalid
from services.requests.datasets import DatasetOptions, DatasetTask, Gaps

_BINARY = {"type": "string", "format": "binary"}
DATASET_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": _BINARY},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": _BINARY, "options": reference(DatasetOptions)},
                }
            },
        },
    }
}


def _validated(values: dict[str, Any], place: str) -> DatasetOptions:
    try:
        return DatasetOptions.model_validate(values)
    except ValidationError as error:
        errors = [{**each, "loc": (place, *each["loc"])} for each in error.errors()]
        raise RequestValidationError(errors, body=values) from None


def _from_json(name: str, text: str) -> Any:
    try:
        return loads(text.encode())
    except (Invalid, UnicodeEncodeError):
        msg = "write it as JSON: a number, a list or an object"
        raise Invalid.field("option_invalid", ["query", name], msg) from None


def query_options(
    target: Annotated[str | None, Query(max_length=1000, description="Target column; empty: unlabelled.")] = None,
    task: Annotated[DatasetTask | None, Query()] = None,
    image_size: Annotated[
        str | None, Query(max_length=100, description="JSON: `28` or `[28, 28]`, height and width.")
    ] = None,
    channels: Annotated[Literal["1", "3"] | None, Query()] = None,
    classes: Annotated[
        str | None, Query(max_length=65536, description='JSON: `["ground", "cell"]`, the classes of masks by index.')
    ] = None,
    time: Annotated[str | None, Query(max_length=1000, description="Column with the times of a series.")] = None,
    series: Annotated[str | None, Query(max_length=1000, description="Column that names a row's series.")] = None,
    known_ahead: Annotated[
        str | None, Query(max_length=65536, description='JSON: `["holiday"]`, columns that are known in advance.')
    ] = None,
    gaps: Annotated[Gaps | None, Query(description="Of a series.")] = None,
    split: Annotated[str | None, Query(max_length=200, description='JSON: `{"validation": 0.1, "test": 0.2}`.')] = None,
) -> DatasetOptions:
    """The options in the query of an upload. Raises `Invalid`."""
    values: dict[str, Any] = {"target": target, "task": task, "time": time, "series": series, "gaps": gaps}
    texts = {"image_size": image_size, "channels": channels, "classes": classes, "split": split}
    texts["known_ahead"] = known_ahead
    for name, text in texts.items():
        values[name] = None if text is None else _from_json(name, text)
    return _validated(values, "query")


def part_options(text: bytes) -> DatasetOptions:
    """The options of the JSON part `options`, which replace those in the query. Raises `Invalid`."""
    values = loads(text)
    if not isinstance(values, dict):
        raise Invalid.field("option_invalid", ["body", "options"], "expected a JSON object")
    return _validated(values, "body")
