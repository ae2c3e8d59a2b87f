"""Tokenisers: fitted on some texts, the same for all others."""

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapes.tokens import END, NO_TARGET, PADDING, UNKNOWN, Tokenizer, Unit, composed, spans

UNITS: tuple[Unit, ...] = ("characters", "words")
TEXTS = st.lists(st.text(max_size=30), max_size=8)


def test_words_and_other_signs_are_told_apart() -> None:
    assert list(Tokenizer("words", 9, ()).split("It's 3 o’clock,  naïve!")) == [
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
    assert list(Tokenizer("characters", 9, ()).split("ab c")) == ["a", "b", " ", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "राम दिल्ली में रहता है",
        "தமிழ் மொழி",
        "שָׁלוֹם עוֹלָם",
        "السَّلَامُ عَلَيْكُمْ",
        "x\u0302y q\u0303",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 \u0915\u094d\u200d\u0937",
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \u2764\ufe0f",
    ],
    ids=["Hindi", "Tamil", "pointed Hebrew", "vocalised Arabic", "no composed form", "joiners", "emoji"],
)
def test_marks_and_joiners_belong_to_what_is_before_them(text: str) -> None:
    assert list(Tokenizer("words", 9, ()).split(text)) == text.split()
    assert list(Tokenizer("words", 9, (), marked=True).split(text)) == [f" {word}" for word in text.split()]
    assert [text[begin:end] for begin, end in spans(text)] == text.split()


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


@settings(deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=8), st.sampled_from(UNITS))
def test_what_is_marked_is_written_again(texts: list[str], unit: Unit) -> None:
    tokenizer = Tokenizer.fit(texts, unit, size=1000, max_length=1000, marked=True)
    for text in texts:
        tokens = tokenizer.encode(text)
        assert tokens[-1] == END
        assert all(END < token < tokenizer.num_tokens for token in tokens[:-1])
        again = tokenizer.text([*tokens, NO_TARGET])
        assert again.split() == composed(text).split()
        assert unit == "words" or again == composed(text).strip()


SENTENCES = ["the lower the newest", "the widest of the lowest", "newer and wider, lower and slower"]


def test_subwords_are_parts_of_words_that_are_found_in_many() -> None:
    tokenizer = Tokenizer.fit(SENTENCES, "subwords", size=40, max_length=50, marked=True)
    assert len(tokenizer.vocabulary) <= 40
    assert tokenizer == Tokenizer.fit(SENTENCES, "subwords", size=40, max_length=50, marked=True)
    rebuilt = Tokenizer.of(json.loads(json.dumps(tokenizer.as_json())))
    for text in (*SENTENCES, "the slowest", "lo west"):
        assert rebuilt.encode(text) == tokenizer.encode(text)
        assert tokenizer.text(tokenizer.encode(text)) == text
    assert len(tokenizer.encode("the lower")) < len("the lower")
    assert tokenizer.encode("the 漢").count(UNKNOWN) == 1


def test_fewer_subwords_than_characters_cannot_be() -> None:
    with pytest.raises(ValueError, match="5 subwords are fewer than the different characters"):
        Tokenizer.fit(SENTENCES, "subwords", size=5, max_length=50)


def test_a_text_fits_up_to_the_greatest_length() -> None:
    tokenizer = Tokenizer.fit(["abcd"], "characters", size=9, max_length=3, marked=True)
    assert [tokenizer.fits(text) for text in ("", "abc", "abcd")] == [True, True, False]
    assert tokenizer.text(tokenizer.encode("abcd")) == "abc"


@pytest.mark.parametrize("unit", ["characters", "words", "subwords"])
def test_no_end_is_marked_where_a_text_is_cut(unit: Unit) -> None:
    tokenizer = Tokenizer.fit(["a b"], unit, size=9, max_length=100, marked=True)
    whole = tokenizer.encode("a b")
    assert whole[-1] == END
    fitting, cutting = (replace(tokenizer, max_length=len(whole) - each) for each in (1, 2))
    assert fitting.encode("a b") == whole
    assert cutting.encode("a b") == whole[:-2]
    assert (fitting.fits("a b"), cutting.fits("a b")) == (True, False)
