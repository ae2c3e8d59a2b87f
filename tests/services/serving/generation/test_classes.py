"""Classes by name. What else is wrong with a label: tests/api/routes/test_generation.py."""

import pytest

from services.errors import Invalid
from services.serving.generation import classes

DIGITS = {"conditional": True, "classes": [str(digit) for digit in range(30)]}


def test_a_name_is_one_class_for_all_and_a_list_one_for_each() -> None:
    for label, places in (("3", [3, 3]), (3, [3, 3]), (["3", 7], [3, 7])):
        found = classes.read(label, 2, DIGITS)  # type: ignore[arg-type]
        assert found is not None
        assert (found.dtype.name, found.tolist()) == ("int64", places)
    assert classes.read(None, 2, {"conditional": False, "classes": None}) is None


def test_a_long_list_of_classes_is_not_told_in_full() -> None:
    with pytest.raises(Invalid) as failure:
        classes.read("x" * 1000, 1, DIGITS)
    assert "19, …" in failure.value.detail
    assert len(failure.value.detail) < 300
