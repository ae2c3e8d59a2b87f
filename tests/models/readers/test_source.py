"""The options and limits of an ingest request."""

from typing import Any

import pytest

from models.errors import JobError
from models.readers.source import Limits, ReadOptions


def test_what_is_absent_or_null_is_left_to_the_data() -> None:
    assert ReadOptions.parse({"target": None, "split": None}) == ReadOptions()


def test_an_image_size_is_one_number_or_two() -> None:
    assert ReadOptions.parse({"image_size": 32}).image_size == (32, 32)
    assert ReadOptions.parse({"image_size": [24, 32]}).image_size == (24, 32)


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": 0},
        {"image_size": 5000},
        {"image_size": [8]},
        {"image_size": "8"},
        {"channels": 4},
        {"task": "clustering"},
        {"target": 3},
        {"colour": 1},
    ],
)
def test_a_wrong_option_is_refused_by_its_name(options: dict[str, Any]) -> None:
    with pytest.raises(JobError) as raised:
        ReadOptions.parse(options)
    assert raised.value.code == "options_invalid"
    assert next(iter(options)) in raised.value.detail


def test_the_limits_of_the_job_are_taken_and_the_rest_keep_their_defaults() -> None:
    assert Limits.of({"max_pixels": 5, "max_children": 7}) == Limits(max_pixels=5)
