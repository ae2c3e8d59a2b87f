"""Text from the service cannot act on the terminal."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from client.terminal import escape, escape_lines


def test_escape_sequences_become_visible() -> None:
    assert escape("\x1b[31mred\x07") == "\\x1b[31mred\\x07"


def test_line_breaks_and_direction_marks_become_visible() -> None:
    assert escape("a\nb\u202egnp.exe") == "a\\nb\\u202egnp.exe"


def test_letters_of_any_script_stay() -> None:
    assert escape("Blüte 花 ±0.5") == "Blüte 花 ±0.5"


def test_line_feeds_may_be_kept() -> None:
    assert escape_lines("a\r\nb") == "a\\r\nb"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert all(unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in escape(text))
