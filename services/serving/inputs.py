"""What a client sends to be predicted, as the array that a network takes.

Images are uint8 (N, C, H, W), rows of a table float32 (N, F), tokens of texts int64 (N, T), or
(N, T, 1 + S) with S characters of each.
"""

import base64
import binascii
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL.Image import Image

from services import images
from services.errors import FieldError, Invalid, TooLarge
from services.serving.network import Network
from services.serving.padding import padded
from services.serving.protocol.datatypes import TensorSpec
from services.serving.protocol.tensors import check_shape, from_json
from services.serving.words import Words
from shapes.tokens import PADDING, Tokenizer
from shapes.trees import Malformed

MAX_BATCH = 1024
MAX_TEXT_CHARACTERS = 100_000
FLOAT32_MAX = float(np.finfo(np.float32).max)
# Images are decoded one after another into the network's small size, so this bounds time and not memory.
MAX_IMAGES_OF_FULL_SIZE = 4


def _wrong(index: int, msg: str, *rest: str | int) -> Invalid:
    place = f"inputs[{index}]" + "".join(f".{part}" for part in rest)
    return Invalid("input_invalid", f"{place}: {msg}", [{"loc": ["body", "inputs", index, *rest], "msg": msg}])


def check_batch(num_inputs: int) -> None:
    """Raise `Invalid` for no input at all and `TooLarge` for more than `MAX_BATCH`."""
    if num_inputs == 0:
        raise Invalid.field("inputs_empty", ["body", "inputs"], "send at least one input")
    if num_inputs > MAX_BATCH:
        raise TooLarge("batch_too_large", f"{num_inputs} inputs; send at most {MAX_BATCH} in one request.")


class ImageFiles:
    """Image files of which only the headers have been read, so that their pixels can be counted beforehand."""

    def __init__(self, files: Sequence[bytes], max_pixels: int) -> None:
        """Raises `Invalid` naming the input, also when all together have too many pixels."""
        check_batch(len(files))
        self._images: list[Image] = []
        self.num_pixels = 0
        self.sizes: list[tuple[int, int]] = []
        """(height, width) of each image, upright, once they are decoded."""
        pixels_left = max_pixels * MAX_IMAGES_OF_FULL_SIZE
        for index, data in enumerate(files):
            try:
                image = images.read_header(data, max_pixels=min(max_pixels, pixels_left - self.num_pixels))
            except Invalid as error:
                raise _wrong_image(index, error) from None
            self.num_pixels += image.width * image.height
            self._images.append(image)

    def decode(self, shape: Sequence[int], how: str = "crop") -> np.ndarray:
        """All of them as uint8 (N, C, H, W) for shape (C, H, W), fitted as in training (see `images.fit`).

        Raises `Invalid` naming the input.
        """
        if len(self._images) == 1:  # without the copy into a batch
            return self._fit(0, shape, how)[None]
        batch = np.empty((len(self._images), *shape), np.uint8)
        for index in range(len(self._images)):
            batch[index] = self._fit(index, shape, how)
        return batch

    def _fit(self, index: int, shape: Sequence[int], how: str) -> np.ndarray:
        try:
            image = images.load(self._images[index])
            self.sizes.append((image.height, image.width))
            return images.fit(image, shape[0], (shape[1], shape[2]), how)
        except Invalid as error:
            raise _wrong_image(index, error) from None


def _wrong_image(index: int, error: Invalid) -> Invalid:
    loc: list[str | int] = ["body", "inputs", index]
    return Invalid(error.code, f"inputs[{index}]: {error.detail}", [{"loc": loc, "msg": error.detail}])


def decode_pixels(inputs: Sequence[Any], shape: Sequence[int]) -> np.ndarray:
    """Nested lists of pixels 0 to 255 in the network's own shape as uint8 (N, C, H, W). Raises `Invalid`."""
    check_batch(len(inputs))
    batch = np.empty((len(inputs), *shape), np.uint8)
    for index, value in enumerate(inputs):
        if not isinstance(value, list):
            raise _wrong(index, "an image is base64 text or a nested list of pixels, the same for all inputs")
        batch[index] = _pixels(index, value, shape)
    return batch


def decode_tensors(inputs: Sequence[Any], network: Network) -> dict[str, np.ndarray]:
    """Rows for a network of a user's own: nested lists, or objects by input name where there are several inputs.

    Raises `Invalid`; a network that does not take rows is for the Open Inference Protocol.
    """
    check_batch(len(inputs))
    if not network.batchable:
        msg = "this model takes no rows; send whole tensors to /v2/models/{model}/infer"
        raise Invalid.field("model_takes_tensors", ["body", "inputs"], msg)
    rows = inputs if len(network.inputs) > 1 else [{network.inputs[0].name: row} for row in inputs]
    for index, row in enumerate(rows):
        for name in network.input_names:
            if not isinstance(row, dict) or name not in row:
                raise _wrong(index, f"expected an object with a value for each input; {name!r} is missing")
    return {spec.name: _tensor(spec, [row[spec.name] for row in rows]) for spec in network.inputs}


def _tensor(spec: TensorSpec, rows: list[Any]) -> np.ndarray:
    shape: list[int] = []
    level: Any = rows
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    try:
        return from_json(spec, check_shape(spec, shape), rows)
    except Invalid as error:
        wrong: FieldError = {"loc": ["body", "inputs"], "msg": error.detail}
        raise Invalid(error.code, error.detail, [wrong]) from None


def decode_base64(inputs: Sequence[str]) -> list[bytes]:
    """Image files out of base64 text. Raises `Invalid` naming the input."""
    check_batch(len(inputs))
    return [_from_base64(index, text) for index, text in enumerate(inputs)]


def _from_base64(index: int, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise _wrong(index, "not valid base64 (RFC 4648) of an image file") from None


def _pixels(index: int, value: list[Any], shape: Sequence[int]) -> np.ndarray:
    expected = " x ".join(map(str, shape))
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        raise _wrong(index, f"the lists are ragged; the expected shape is {expected}") from None
    if array.shape == tuple(shape[1:]) and shape[0] == 1:
        array = array[None]
    if array.shape != tuple(shape):
        given = " x ".join(map(str, array.shape))
        raise _wrong(index, f"the shape is {given}; the expected shape is {expected}")
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        raise _wrong(index, "pixels are whole numbers from 0 to 255")
    return array.astype(np.uint8)


def decode_rows(inputs: Sequence[Any], columns: Sequence[dict[str, Any]]) -> np.ndarray:
    """Rows of a table as float32 (N, F), NaN where a value is missing.

    A row is a list in the order of the columns, or an object by column name; null, or a name left out of
    an object, is a missing value. A categorical value is given by its name; one that was not seen in
    training counts as missing.
    """
    check_batch(len(inputs))
    readers = [_CategoryReader(column) if column["kind"] == "categorical" else _read_number for column in columns]
    names = [column["name"] for column in columns]
    batch = np.empty((len(inputs), len(columns)), np.float32)
    for index, row in enumerate(inputs):
        values = _ordered(index, row, names)
        for place, (read, value) in enumerate(zip(readers, values, strict=True)):
            try:
                batch[index, place] = read(value)
            except ValueError as error:
                raise _wrong(index, str(error), names[place] if isinstance(row, dict) else place) from None
    return batch


def decode_texts(inputs: Sequence[Any], tokenizer: Tokenizer) -> np.ndarray:
    """Texts as int64 (N, T, ...) of tokens, padded behind. Raises `TooLarge`, and `Invalid` naming the input."""
    check_batch(len(inputs))
    rows = [_tokens(index, text, tokenizer) for index, text in enumerate(inputs)]
    return padded(rows, tokenizer.item_shape, PADDING, np.int64)


def read_words(inputs: Sequence[Any]) -> list[Words]:
    """The words of texts, or lists of words as they are. Raises `Invalid` naming the input."""
    check_batch(len(inputs))
    return [_words(index, value) for index, value in enumerate(inputs)]


def decode_words(rows: Sequence[Words], tokenizer: Tokenizer) -> np.ndarray:
    """Words as int64 (N, T, ...) of tokens, padded behind. Raises `TooLarge`."""
    return padded([tokenizer.encode(row.lines) for row in rows], tokenizer.item_shape, PADDING, np.int64)


def _tokens(index: int, text: object, tokenizer: Tokenizer) -> list[Any]:
    if not isinstance(text, str):
        raise _wrong(index, "expected a text")
    _check_length(index, text)
    try:
        tokens = tokenizer.encode(text)
    except Malformed as error:
        raise _wrong(index, f"the tree {error}") from None
    if not tokens or not text.strip():
        raise _wrong(index, "the text is empty; send at least one character that is no blank")
    return tokens


def _words(index: int, value: object) -> Words:
    if isinstance(value, str):
        _check_length(index, value)
        words = Words.found(value)
    elif isinstance(value, list):
        for place, word in enumerate(value):
            if not isinstance(word, str) or not word.strip() or "\n" in word:
                raise _wrong(index, "expected a word, which is no blank and of one line", place)
        words = Words.of(value)
        _check_length(index, words.text)
    else:
        raise _wrong(index, "expected a text or a list of words")
    if not words.spans:
        raise _wrong(index, "the text is empty; send at least one word")
    return words


def _check_length(index: int, text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise _wrong(index, f"the text has {len(text):,} characters; send at most {MAX_TEXT_CHARACTERS:,}")


def _ordered(index: int, row: object, names: Sequence[str]) -> list[Any]:
    if isinstance(row, dict):
        unknown = sorted(set(row) - set(names))
        if unknown:
            raise _wrong(index, f"unknown column; the columns are {', '.join(names)}", unknown[0])
        return [row.get(name) for name in names]
    if not isinstance(row, list):
        raise _wrong(index, f"a row is a list of {len(names)} values or an object by column name")
    if len(row) != len(names):
        raise _wrong(index, f"{len(row)} values; expected {len(names)}: {', '.join(names)}")
    return row


def _read_number(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("expected a number or null")
    if abs(value) > FLOAT32_MAX:
        raise ValueError("the number is too large for float32")
    return float(value)


class _CategoryReader:
    """From a category's name to its index."""

    def __init__(self, column: dict[str, Any]) -> None:
        self._indices = {name: float(index) for index, name in enumerate(column["categories"])}

    def __call__(self, value: object) -> float:
        if value is None:
            return math.nan
        if isinstance(value, list | dict):
            raise ValueError("expected the name of a category or null")
        # A column of numbers can be categorical too: its categories are then the numbers' text.
        return self._indices.get(value if isinstance(value, str) else str(value), math.nan)
