"""No object of a JSON text has a key twice."""

import pytest

from services.errors import Invalid
from services.unique_keys import check_unique_keys


@pytest.mark.parametrize("text", [b'{"a": 1, "a": 1}', b'[{"b": {"a": 1, "\\u0061": 2}}]'])
def test_a_key_twice_is_named(text: bytes) -> None:
    with pytest.raises(Invalid, match="'a': this key occurs twice") as refused:
        check_unique_keys(text, 1)
    assert refused.value.errors[0]["loc"] == ["body", "a"]


@pytest.mark.parametrize("text", [b"3", b'{"a": {"a": 1}, "b": "a:a"}', b'[{"a": 1}, {"a": 1}]'])
def test_the_same_key_in_several_objects_is_right(text: bytes) -> None:
    check_unique_keys(text, 0)


def test_a_text_that_is_too_deep_to_be_looked_through_is_refused() -> None:
    with pytest.raises(Invalid, match="nested too deeply"):
        check_unique_keys(b'{"a":' + b"[" * 1020 + b"]" * 1020 + b"}", 0)
