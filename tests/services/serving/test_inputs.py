"""Inputs as clients send them, as arrays. What is told of a wrong one: tests/api/routes/test_predictions.py."""

import base64
import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.errors import Invalid, SyllabusError, TooLarge
from services.serving.inputs import (
    MAX_BATCH,
    MAX_IMAGES_OF_FULL_SIZE,
    ImageFiles,
    decode_base64,
    decode_pixels,
    decode_rows,
    decode_tensors,
    decode_texts,
)
from shapes.tokens import Tokenizer
from tests.hostile_models import two_inputs_of_text_and_numbers
from tests.services.serving.engines import network_of
from tests.serving_models import addition, lookup, mirror, tabular_signature

COLUMNS = tabular_signature()["input"]["columns"]
SHAPE = (1, 2, 2)


def png(shade: int, width: int = 4, height: int = 4) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width), shade, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def place(failure: pytest.ExceptionInfo[Invalid]) -> list[str | int]:
    """Where the wrong value is, after `body`, `inputs`."""
    loc = failure.value.errors[0]["loc"]
    assert loc[:2] == ["body", "inputs"]
    return loc[2:]


@pytest.mark.parametrize(
    "decode",
    [
        lambda values: ImageFiles([b"x"] * len(values), 100),
        lambda values: decode_pixels(values, SHAPE),
        lambda values: decode_rows(values, COLUMNS),
        lambda values: decode_base64(values),
        lambda values: decode_tensors(values, network_of(mirror())),
    ],
    ids=["files", "pixels", "rows", "base64", "tensors"],
)
def test_a_batch_has_at_least_one_input_and_is_bounded(decode: Callable[[list[Any]], object]) -> None:
    with pytest.raises(Invalid) as empty:
        decode([])
    assert empty.value.code == "inputs_empty"
    with pytest.raises(TooLarge):
        decode([None] * (MAX_BATCH + 1))


def test_several_images_are_decoded_as_each_alone() -> None:
    files = [png(shade, width, height) for shade, width, height in ((0, 4, 4), (90, 9, 3), (255, 2, 2))]
    together = ImageFiles(files, 1000).decode((3, 2, 2))
    assert together.shape == (3, 3, 2, 2)
    assert together.dtype == np.uint8
    for index, file in enumerate(files):
        np.testing.assert_array_equal(together[index : index + 1], ImageFiles([file], 1000).decode((3, 2, 2)))


def test_pixels_are_counted_before_one_is_decoded() -> None:
    assert ImageFiles([png(0, 10, 10), png(0, 3, 5)], 100).num_pixels == 115
    with pytest.raises(Invalid) as failure:
        ImageFiles([png(0), png(0, 10, 11)], 100)
    assert failure.value.code == "image_too_large"
    assert place(failure) == [1]
    with pytest.raises(Invalid) as failure:
        ImageFiles([png(0, 10, 10)] * (MAX_IMAGES_OF_FULL_SIZE + 1), 100)
    assert place(failure) == [MAX_IMAGES_OF_FULL_SIZE]


def test_a_file_whose_pixels_are_missing_is_named() -> None:
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)).save(noise, "PNG")
    opened = ImageFiles([png(0), noise.getvalue()[:700]], 10_000)
    with pytest.raises(Invalid) as failure:
        opened.decode(SHAPE)
    assert failure.value.code == "image_undecodable"
    assert place(failure) == [1]


def test_pixels_are_nested_lists_with_or_without_the_channel() -> None:
    given_pixels = [[[1, 2], [3, 255]], [[[0, 5], [6, 7]]]]
    array = decode_pixels(given_pixels, SHAPE)
    assert array.dtype == np.uint8
    assert array.tolist() == [[[[1, 2], [3, 255]]], [[[0, 5], [6, 7]]]]


@pytest.mark.parametrize(
    "value",
    [
        *([], [[]], [[1, 2]], [[1, 2], [3]], [[1, 2], [3, -1]], [[1, 2], [3, 256]], [[1, 2], [3, 2.0]]),
        *([[1, 2], [3, None]], [[True, True], [True, True]], [[1, 2], [3, 2**70]], {"a": 1}, "text", 5, None),
    ],
    ids=str,
)
def test_what_are_no_pixels_is_named(value: Any) -> None:
    with pytest.raises(Invalid) as failure:
        decode_pixels([[[1, 2], [3, 4]], value], SHAPE)
    assert place(failure)[0] == 1


def test_rows_are_lists_or_objects_and_may_lack_values() -> None:
    rows = [[1.5, "berlin"], {"city": "aachen"}, {"rooms": 2}, [None, "unseen"], [-3, None]]
    expected = [[1.5, 1], [np.nan, 0], [2, np.nan], [np.nan, np.nan], [-3, np.nan]]
    np.testing.assert_array_equal(decode_rows(rows, COLUMNS), np.array(expected, np.float32))


def test_tensors_are_rows_of_the_one_input_or_objects_by_name() -> None:
    np.testing.assert_array_equal(decode_tensors([[1, 2, 3, 4]], network_of(mirror()))["x"], [[1, 2, 3, 4]])
    np.testing.assert_array_equal(decode_tensors([3, 4], network_of(lookup()))["x"], [3, 4])
    feeds = decode_tensors([{"a": [1, 2], "b": [3, 4]}, {"a": [5, 6], "b": [7, 8]}], network_of(addition()))
    np.testing.assert_array_equal(feeds["a"], [[1, 2], [5, 6]])
    np.testing.assert_array_equal(feeds["b"], [[3, 4], [7, 8]])
    mixed = network_of(two_inputs_of_text_and_numbers().SerializeToString())
    feeds = decode_tensors([{"words": ["a", "b"], "ids": [1, 2]}], mixed)
    assert feeds["words"].tolist() == [["a", "b"]]
    assert feeds["ids"].dtype == np.int64


@pytest.mark.parametrize(
    "row", [[1, 2, 3], [1, 2, 3, 4, 5], [[1, 2, 3, 4]], 1, "a", None, [1, 2, 3, "4"], [1, 2, 3, None], {"x": [1]}, []]
)
def test_a_wrong_tensor_is_refused(row: Any) -> None:
    for rows in ([[1, 2, 3, 4], row], [row, [1, 2, 3, 4]]):
        with pytest.raises(Invalid) as failure:
            decode_tensors(rows, network_of(mirror()))
        assert place(failure) == []


def test_one_long_text_does_not_make_many_short_ones_take_the_memory() -> None:
    tokenizer = Tokenizer("characters", 100_000, ("a", "b"))
    with pytest.raises(TooLarge, match="padded to the longest") as raised:
        decode_texts(["ab" * 20_000, *["a"] * (MAX_BATCH - 1)], tokenizer)
    assert raised.value.code == "batch_too_large"
    assert decode_texts(["ab" * 20_000, "a"], tokenizer).shape == (2, 65_536)


def test_a_missing_input_is_named() -> None:
    with pytest.raises(Invalid) as failure:
        decode_tensors([{"a": [1, 2], "b": [3, 4]}, {"a": [1, 2]}], network_of(addition()))
    assert place(failure) == [1]
    assert "'b'" in failure.value.detail


def test_a_model_that_takes_no_rows_is_for_the_protocol() -> None:
    with pytest.raises(Invalid) as failure:
        decode_tensors([[1, 2, 3, 4]], network_of(mirror(), batchable=False))
    assert failure.value.code == "model_takes_tensors"
    assert "/v2/" in failure.value.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(st.lists(JSON, min_size=1, max_size=4))
def test_any_json_at_all_is_decoded_or_refused(values: list[Any]) -> None:
    networks = [MIRROR, SUMS, TABLE, MIXED]
    decoders: list[Callable[[], object]] = [
        lambda: decode_pixels(values, SHAPE),
        lambda: decode_rows(values, COLUMNS),
        *(lambda network=network: decode_tensors(values, network) for network in networks),
    ]
    for decode in decoders:
        with contextlib.suppress(SyllabusError):
            decode()


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=3))
def test_files_come_back_out_of_base64(files: list[bytes]) -> None:
    assert decode_base64([base64.b64encode(file).decode() for file in files]) == files


@given(st.text(max_size=30))
def test_any_text_at_all_is_base64_or_refused(text: str) -> None:
    with contextlib.suppress(Invalid):
        decode_base64([text])


MIRROR, SUMS, TABLE = network_of(mirror("L")), network_of(addition()), network_of(lookup())
MIXED = network_of(two_inputs_of_text_and_numbers().SerializeToString())
