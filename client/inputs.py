"""What is sent to be predicted, coded or judged, as httpx's options for a body."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Array(Protocol):
    """An array such as numpy's."""

    def tolist(self) -> Any:
        """The same as lists and numbers."""


Inputs = str | Path | bytes | Sequence[Any] | Array
"""An image (its path as text or `Path`, or its bytes), several images (each a `Path` or bytes), or rows of features,
texts, lists of words, trees in brackets."""

# What an image file begins with (its format's own specification), and its media type.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def body_of(inputs: Inputs) -> dict[str, Any]:
    """An image itself, multipart of several, or JSON.

    Raises FileNotFoundError, and TypeError for what can be sent as none of these.
    """
    if isinstance(inputs, str | Path):
        inputs = Path(inputs).read_bytes()
    if isinstance(inputs, bytes):
        return {"content": inputs, "headers": {"Content-Type": media_type(inputs)}}
    if isinstance(inputs, Sequence) and inputs and all(isinstance(item, Path | bytes) for item in inputs):
        return {"files": [("file", _part(place, image)) for place, image in enumerate(inputs)]}
    content = json.dumps({"inputs": inputs}, default=_plain, ensure_ascii=False, allow_nan=False)
    return {"content": content.encode(), "headers": {"Content-Type": "application/json"}}


def _part(place: int, image: Path | bytes) -> tuple[str, bytes, str]:
    """An image as a part of multipart: a name, its bytes and its media type."""
    name, data = (str(place), image) if isinstance(image, bytes) else (image.name, image.read_bytes())
    return name, data, media_type(data)


def _plain(value: Any) -> Any:
    """What JSON has instead of a value that it does not know."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(
        f"inputs cannot hold {type(value).__name__}: give an image (a path or its bytes), a list of images (each a "
        "Path or bytes), or rows, texts, words or trees as lists or arrays of numbers and strings"
    )


def media_type(image: bytes) -> str:
    """The media type of an image by its first bytes; `application/octet-stream` when they are unknown."""
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if image.startswith(start)), "application/octet-stream")
