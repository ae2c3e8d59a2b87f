"""What a client gave to be predicted: image files, or values out of JSON; and how it is to be decoded."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from services.errors import Invalid, UnsupportedMediaType
from services.serving import inputs
from services.serving.answers import About
from services.serving.inputs import ImageFiles
from services.serving.model import ServedModel, tokenizer_of
from services.serving.network import Feeds, Network
from services.serving.series import decode_series, decode_windows

INLINE_PIXELS = 128 * 128
"""Images with no more pixels are decoded on the event loop: the way to a thread and back would take longer."""
INLINE_VALUES = 4096
"""Likewise for numbers in JSON."""
INLINE_CHARACTERS = 16 * 1024
"""Likewise for texts."""


class Decoding(NamedTuple):
    """Inputs that are still to be decoded: how many rows they make, whether that is quick, and how it is done."""

    rows: int
    is_quick: bool
    feeds: Callable[[], Feeds]
    about: About = ()
    """What answers have to know of each input; of image files once they are decoded."""
    cut: Sequence[int] = ()
    """The places of texts that have more units than are read; known once they are decoded."""


class Given(NamedTuple):
    """Inputs as they came."""

    num_bytes: int
    """Of what has to be looked at to open them."""
    open: Callable[[ServedModel, Network, int], Decoding]
    """What it takes to decode them for a model; the number is the most pixels that an image may have.

    Raises `UnsupportedMediaType`, `Invalid` and `TooLarge`.
    """


def files(contents: Sequence[bytes]) -> Given:
    """Image files."""

    def open_files(model: ServedModel, network: Network, max_pixels: int) -> Decoding:
        if model.signature["modality"] != "image":
            msg = f'Model {model.name!r} takes no images; send JSON as {{"inputs": [...]}}.'
            raise UnsupportedMediaType("model_takes_rows", msg)
        return _open_images(model, contents, max_pixels)

    # A header takes little time, unless there are many, or compressed texts in it.
    return Given(sum(map(len, contents)), open_files)


def values(rows: Sequence[Any], num_bytes: int = 0) -> Given:
    """Values out of so much JSON: rows of a table, base64 or pixel lists of images, texts, lists of words, series,
    tensors."""

    def open_values(model: ServedModel, network: Network, max_pixels: int) -> Decoding:
        modality = model.signature["modality"]
        if modality == "tensors":
            return Decoding(len(rows), False, lambda: inputs.decode_tensors(rows, network))
        given = model.signature["input"]
        if "tokenizer" in given:
            return _open_texts(model, rows, num_bytes)
        if modality == "series":
            return _open_series(given, rows)
        is_quick = len(rows) * math.prod(given["shape"]) <= INLINE_VALUES
        if modality != "image":
            return Decoding(len(rows), is_quick, lambda: {given["name"]: inputs.decode_rows(rows, given["columns"])})
        if all(isinstance(row, str) for row in rows):
            return _open_images(model, inputs.decode_base64(rows), max_pixels)
        return Decoding(len(rows), is_quick, lambda: {given["name"]: inputs.decode_pixels(rows, given["shape"])})

    return Given(num_bytes, open_values)


def text(content: bytes) -> Given:
    """One text, as UTF-8."""

    def open_text(model: ServedModel, network: Network, max_pixels: int) -> Decoding:
        if "tokenizer" not in model.signature.get("input", ()):  # which a model of a user's own has not
            raise UnsupportedMediaType("media_type_unknown", f"Model {model.name!r} does not take text.")
        try:
            decoded = content.decode()
        except UnicodeDecodeError:
            raise Invalid.field("text_invalid", ["body"], "is not valid UTF-8") from None
        return _open_texts(model, [decoded], len(content))

    return Given(len(content), open_text)


def _open_texts(model: ServedModel, texts: Sequence[Any], num_bytes: int) -> Decoding:
    name, tokenizer, is_quick = model.signature["input"]["name"], tokenizer_of(model), num_bytes <= INLINE_CHARACTERS
    words = inputs.read_words(texts) if tokenizer.unit == "given" else ()
    cut: list[int] = []

    def decode() -> Feeds:
        tokens = inputs.decode_words(words, tokenizer) if words else inputs.decode_texts(texts, tokenizer)
        read = [row.lines for row in words] or texts
        cut.extend(index for index, text in enumerate(read) if not tokenizer.fits(text))
        return {name: tokens}

    return Decoding(len(texts), is_quick, decode, words, cut)


def _open_series(given: Mapping[str, Any], rows: Sequence[Any]) -> Decoding:
    def decode() -> Feeds:
        is_forecast = "horizon" in given
        return {given["name"]: decode_windows(rows, given) if is_forecast else decode_series(rows, given["columns"])}

    is_quick = len(given["columns"]) * sum(map(_longest, rows)) <= INLINE_VALUES
    return Decoding(len(rows), is_quick, decode)


def _longest(row: object) -> int:
    """The length of a list, or of the longest in an object."""
    if isinstance(row, dict):
        return max(map(_longest, row.values()), default=0)
    return len(row) if isinstance(row, list) else 0


def _open_images(model: ServedModel, contents: Sequence[bytes], max_pixels: int) -> Decoding:
    given = model.signature["input"]
    # What a network makes of an image is told beside it, so it is fitted only where that was done in training too.
    how = "exact" if model.generative is not None and "fitted" not in given else given.get("fit", "crop")
    opened = ImageFiles(contents, max_pixels)

    def decode() -> Feeds:
        return {given["name"]: opened.decode(given["shape"], how)}

    return Decoding(len(contents), opened.num_pixels <= INLINE_PIXELS, decode, opened.sizes)
