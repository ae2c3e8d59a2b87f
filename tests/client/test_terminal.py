"""Text from the service cannot act on the terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from client.terminal import escape, escape_lines


def test_escape_sequences_become_visible() -> None:
    assert escape("\x1b[31mred\x07") == "\\x1b[31mred\\x07"


def test_line_breaks_and_direction_marks_become_visible() -> None:
    assert escape("a\nb\u202egnp.exe") == "a\\nb\\u202egnp.exe"


def test_joiners_stay_since_some_scripts_are_spelt_with_them() -> None:
    assert (
        escape("\u0645\u06cc\u200c\u062e \u0915\u094d\u200d\u0937")
        == "\u0645\u06cc\u200c\u062e \u0915\u094d\u200d\u0937"
    )
    assert escape("a\u200b\u200e\u2066b\u2069") == "a\\u200b\\u200e\\u2066b\\u2069"


def test_letters_of_any_script_stay() -> None:
    assert escape("Blüte 花 ±0.5") == "Blüte 花 ±0.5"


def test_line_feeds_may_be_kept() -> None:
    assert escape_lines("a\r\nb") == "a\\r\nb"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    left = set(escape(text)) - {"\u200c", "\u200d"}
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in left)
