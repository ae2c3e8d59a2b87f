"""Values checked against JSON Schema, each fault named by its place and told with the remedy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from services.errors import FieldError
from shapes import quantiles

# A message may quote the value, which may be as long as the body, before it says what is wrong with it.
MAX_MESSAGE = 300


def errors(schema: Mapping[str, Any], value: object, loc: Sequence[str | int]) -> Iterable[FieldError]:
    """Every fault of a value that stands at `loc`."""
    for error in _Validator(schema, format_checker=_FORMATS).iter_errors(value):
        leaf = best_match([error])  # of a choice between schemas, the one that the value was meant for
        place = [*loc, *leaf.absolute_path]
        if leaf.validator == "additionalProperties":
            for name in sorted(set(leaf.instance) - set(leaf.schema["properties"])):
                yield {"loc": [*place, name], "msg": f"unknown; the fields are {', '.join(leaf.schema['properties'])}"}
        else:
            yield {"loc": place, "msg": _shortened(str(leaf.cause or leaf.message))}


def _shortened(message: str) -> str:
    """Both ends of a long message."""
    half = MAX_MESSAGE // 2
    return message if len(message) <= MAX_MESSAGE else f"{message[: half - 1]}…{message[-half:]}"


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """A list that is too long is refused for that alone; looking at all that a body can hold would take minutes."""
    if "maxItems" not in schema or not isinstance(instance, list) or len(instance) <= schema["maxItems"]:
        yield from Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)


def _one_of(validator: Any, choices: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """Of a choice by OpenAPI's `discriminator` only the schema that the value names is looked at."""
    if "discriminator" not in schema:
        yield from Draft202012Validator.VALIDATORS["oneOf"](validator, choices, instance, schema)
        return
    field, by_name = schema["discriminator"]["propertyName"], schema["discriminator"]["mapping"]
    known = ", ".join(by_name)
    if not isinstance(instance, dict) or field not in instance:
        yield ValidationError(f"must be an object with a {field}, one of {known}, and its options")
    elif not isinstance(instance[field], str) or instance[field] not in by_name:
        yield ValidationError(f"unknown; choose one of {known}", path=[field])
    else:
        yield from validator.descend(instance, {"$ref": by_name[instance[field]]})


def _if(validator: Any, condition: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """What `then` asks of a field is told there, in the description's words, be it wrong or left out."""
    if any(Draft202012Validator.VALIDATORS["if"](validator, condition, instance, schema)):
        (field,) = schema["then"]["properties"]
        yield ValidationError(schema["description"], path=[field])


_FORMATS = FormatChecker(formats=())


@_FORMATS.checks(quantiles.FORMAT, raises=ValueError)
def _is_around_median(levels: object) -> bool:
    """Raises `ValueError` for a list of numbers that is none; what is no such list is refused for that alone."""
    if isinstance(levels, list) and all(isinstance(level, int | float) for level in levels):
        quantiles.require_around_median(levels)
    return True


_Validator = extend(Draft202012Validator, {"if": _if, "items": _items, "oneOf": _one_of})  # type: ignore[no-untyped-call]
