from typing import Any

import pytest

from services import schema

PERSON = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "additionalProperties": False}
SHAPE = {
    "$defs": {
        "Circle": {
            "type": "object",
            "properties": {"type": {"const": "circle"}, "radius": {"type": "number", "maximum": 9}},
            "required": ["radius"],
            "additionalProperties": False,
        },
        "Square": {"type": "object", "properties": {"type": {"const": "square"}}, "additionalProperties": False},
    },
    "type": "array",
    "maxItems": 3,
    "items": {
        "oneOf": [{"$ref": "#/$defs/Square"}, {"$ref": "#/$defs/Circle"}],
        "discriminator": {
            "propertyName": "type",
            "mapping": {"circle": "#/$defs/Circle", "square": "#/$defs/Square"},
        },
    },
}


def found(rules: dict[str, Any], value: object) -> list[tuple[list[str | int], str]]:
    return [(error["loc"], error["msg"]) for error in schema.errors(rules, value, ["body"])]


def test_an_unknown_field_is_named_with_the_known_ones() -> None:
    assert found(PERSON, {"age": 3}) == []
    assert found(PERSON, {"ega": 3}) == [(["body", "ega"], "unknown; the fields are age")]


def test_a_message_does_not_repeat_a_long_value() -> None:
    ((loc, msg),) = found(PERSON, {"age": "x" * 10_000})
    assert loc == ["body", "age"]
    assert len(msg) <= schema.MAX_MESSAGE
    assert msg.startswith("'xxx")
    assert msg.endswith("xxx' is not of type 'integer'")


@pytest.mark.parametrize(
    ("value", "loc", "words"),
    [
        ({"type": "circle", "radius": 10}, ["body", 1, "radius"], "10 is greater than the maximum of 9"),
        ({"type": "circle"}, ["body", 1], "'radius' is a required property"),
        ({"type": "square", "side": 2}, ["body", 1, "side"], "unknown; the fields are type"),
        ({"type": "triangle"}, ["body", 1, "type"], "unknown; choose one of circle, square"),
        ({"type": ["circle"]}, ["body", 1, "type"], "unknown; choose one of circle, square"),
        ({"radius": 1}, ["body", 1], "must be an object with a type, one of circle, square"),
        ("circle", ["body", 1], "must be an object with a type, one of circle, square"),
    ],
)
def test_of_a_choice_by_type_only_what_the_value_was_meant_for_is_told(
    value: object, loc: list[str | int], words: str
) -> None:
    ((place, msg),) = found(SHAPE, [{"type": "square"}, value])
    assert place == loc
    assert words in msg


def test_every_fault_in_a_list_is_told() -> None:
    assert [loc for loc, _ in found(SHAPE, [1, {"type": "square"}, {"type": "circle"}])] == [["body", 0], ["body", 2]]


def test_a_condition_is_told_in_its_own_words_at_the_field_that_it_asks_for() -> None:
    rules = {
        "description": "must be 3 where a is 1",
        "if": {"properties": {"a": {"const": 1}}, "required": ["a"]},
        "then": {"properties": {"b": {"const": 3}}, "required": ["b"]},
    }
    assert found(rules, {"a": 2}) == found(rules, {"a": 1, "b": 3}) == []
    for wrong in ({"a": 1}, {"a": 1, "b": 2}):
        assert found(rules, wrong) == [(["body", "b"], "must be 3 where a is 1")]


def test_a_format_is_checked_by_what_the_training_engine_checks_it_by() -> None:
    rules = {"type": "array", "format": "quantiles", "items": {"type": "number"}}
    assert found(rules, [0.1, 0.5, 0.9]) == []
    for wrong in ([], [0.9, 0.5, 0.1], [0.1, 0.9], [0.5, 0.5, 0.9]):
        ((loc, msg),) = found(rules, wrong)
        assert loc == ["body"]
        assert "ascend" in msg


def test_a_list_that_is_too_long_is_refused_for_that_alone() -> None:
    ((loc, msg),) = found(SHAPE, [{"type": "circle", "radius": -1}, *[None] * 100_000])
    assert loc == ["body"]
    assert "too long" in msg


def test_a_choice_without_a_discriminator_is_tried_in_full() -> None:
    rules = {"oneOf": [{"type": "integer"}, {"type": "null"}]}
    assert found(rules, None) == []
    assert len(found(rules, "x")) == 1
