"""Settings typed on the command line."""

from typing import Any

import pytest
import typer

from client.cli.values import assignments, domains, rows


def test_values_are_json_where_they_parse_and_text_otherwise() -> None:
    texts = ["dropout=0.1", "epochs=5", "bias=false", "activation=relu", "layers=[64, 32]", "none=null", "empty="]
    assert assignments(texts, "--set") == {
        "dropout": 0.1,
        "epochs": 5,
        "bias": False,
        "activation": "relu",
        "layers": [64, 32],
        "none": None,
        "empty": "",
    }


def test_points_lead_into_objects() -> None:
    texts = ["optimizer.name=sgd", "optimizer.learning_rate=0.1", "epochs=2"]
    assert assignments(texts, "--training") == {"optimizer": {"name": "sgd", "learning_rate": 0.1}, "epochs": 2}


def test_a_value_may_hold_an_equals_sign() -> None:
    assert assignments(["a=b=c"], "--set") == {"a": "b=c"}


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_json_number_stays_text(word: str) -> None:
    assert assignments([f"a={word}"], "--set") == {"a": word}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["dropout"], "key=value"),
        (["=1"], "key=value"),
        (["a..b=1"], "key=value"),
        (["a=1", "a=2"], "given twice"),
        (["a=1", "a.b=2"], "has a value already"),
        (["a.b=1", "a=2"], "given twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(typer.BadParameter, match=message):
        assignments(texts, "--set")


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1,"])
def test_rows_are_a_list(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        rows(text)


def test_rows_are_passed_on_as_they_are() -> None:
    expected: list[Any] = [[1, 2.5, None], {"colour": "red"}]
    assert rows('[[1, 2.5, null], {"colour": "red"}]') == expected


def test_domains_are_ranges_choices_or_json() -> None:
    texts = ["a=1e-6:0.1:log", "b=16:128:16", "c=0:1", "d=[0, 1]", 'e={"low": 1, "high": 2}']
    assert domains(texts, "--space") == {
        "a": {"low": 1e-6, "high": 0.1, "log": True},
        "b": {"low": 16.0, "high": 128.0, "step": 16.0},
        "c": {"low": 0.0, "high": 1.0},
        "d": [0, 1],
        "e": {"low": 1, "high": 2},
    }


@pytest.mark.parametrize("texts", [["a"], ["=1:2"], ["a=1"], ["a=1:"], ["a=1:2:x"], ["a=1:2", "a=1:2"]])
def test_what_is_no_domain_is_refused(texts: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        domains(texts, "--space")
