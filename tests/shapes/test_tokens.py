"""Tokenisers: fitted on some texts, the same for all others."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapes.tokens import PADDING, UNKNOWN, Tokenizer, Unit, split

UNITS: tuple[Unit, ...] = ("characters", "words")
TEXTS = st.lists(st.text(max_size=30), max_size=8)


def test_words_and_other_signs_are_told_apart() -> None:
    assert list(split("It's 3 o’clock,  naïve!", "words")) == [
        "It",
        "'",
        "s",
        "3",
        "o",
        "’",
        "clock",
        ",",
        "naïve",
        "!",
    ]
    assert list(split("ab c", "characters")) == ["a", "b", " ", "c"]


def test_the_most_frequent_units_are_known_in_a_fixed_order() -> None:
    tokenizer = Tokenizer.fit(["bba", "cab"], "characters", size=2, max_length=10)
    assert tokenizer.vocabulary == ("b", "a")
    assert tokenizer.encode("abc") == [3, 2, UNKNOWN]
    assert tokenizer.num_tokens == 4


def test_a_text_is_read_up_to_the_greatest_length_in_fitting_and_after() -> None:
    tokenizer = Tokenizer.fit(["a b c d"], "words", size=9, max_length=2)
    assert tokenizer.vocabulary == ("a", "b")
    assert tokenizer.encode("b a d c") == [3, 2]


@pytest.mark.parametrize("unit", UNITS)
def test_composed_and_decomposed_letters_are_one(unit: Unit) -> None:
    tokenizer = Tokenizer.fit(["é"], unit, size=9, max_length=9)
    assert tokenizer.encode(unicodedata.normalize("NFD", "é")) == tokenizer.encode("é") == [2]


@settings(deadline=None)
@given(TEXTS, st.text(max_size=30), st.sampled_from(UNITS), st.integers(1, 40), st.integers(1, 40))
def test_tokens_are_numbers_of_the_network_and_never_padding(
    texts: list[str], text: str, unit: Unit, size: int, max_length: int
) -> None:
    tokenizer = Tokenizer.fit(texts, unit, size=size, max_length=max_length)
    assert tokenizer == Tokenizer.fit(texts, unit, size=size, max_length=max_length)
    tokens = tokenizer.encode(text)
    assert len(tokens) <= max_length
    assert all(PADDING < token < tokenizer.num_tokens for token in tokens)
    assert Tokenizer.of(tokenizer.as_json()) == tokenizer
    assert Tokenizer.of(tokenizer.as_json()).encode(text) == tokens


@settings(deadline=None)
@given(TEXTS, st.sampled_from(UNITS))
def test_what_was_fitted_on_is_known(texts: list[str], unit: Unit) -> None:
    tokenizer = Tokenizer.fit(texts, unit, size=1000, max_length=1000)
    assert all(UNKNOWN not in tokenizer.encode(text) for text in texts)
