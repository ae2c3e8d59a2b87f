"""What is sent to be predicted, coded or judged, as httpx's options for a body."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

Inputs = str | Path | bytes | Sequence[Any]
"""An image (a path or its bytes), several image paths, rows of features, texts, lists of words, trees in brackets."""

# What an image file begins with (its format's own specification), and its media type.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)


def body_of(inputs: Inputs) -> dict[str, Any]:
    """An image itself, multipart of several, or JSON. Raises FileNotFoundError."""
    if isinstance(inputs, str | Path):
        inputs = Path(inputs).read_bytes()
    if isinstance(inputs, bytes):
        return {"content": inputs, "headers": {"Content-Type": media_type(inputs)}}
    paths = [item for item in inputs if isinstance(item, Path)]
    if paths and len(paths) == len(inputs):
        images = [(path.name, path.read_bytes()) for path in paths]
        return {"files": [("file", (name, image, media_type(image))) for name, image in images]}
    return {"json": {"inputs": list(inputs)}}


def media_type(image: bytes) -> str:
    """The media type of an image by its first bytes; `application/octet-stream` when they are unknown."""
    if image[:4] == b"RIFF" and image[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if image.startswith(start)), "application/octet-stream")
