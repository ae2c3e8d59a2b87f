"""Bodies of the data plane's requests, whatever is asked with them: JSON, image files, or several files."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from api.multipart import MultipartReader, Part, boundary_of
from api.strict_json import loads, require_json
from services.errors import Invalid, UnsupportedMediaType

IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp")
JSON, MULTIPART, TEXT = "application/json", "multipart/form-data", "text/plain"
Read = TypeVar("Read", bound=BaseModel)


@lru_cache(256)
def media_type_of(content_type: bytes, known: Sequence[str] = (JSON, MULTIPART, *IMAGE_TYPES)) -> str:
    """The media type of a Content-Type that is one of these. Raises `UnsupportedMediaType` or `Invalid`."""
    declared = content_type.decode("latin-1")
    media_type = declared.partition(";")[0].strip().lower()
    if media_type not in known:
        raise UnsupportedMediaType("media_type_unknown", f"Send the inputs as one of {', '.join(known)}.")
    if media_type == JSON:
        require_json(declared)
    if media_type == MULTIPART:
        boundary_of(declared)
    return media_type


def document(body: bytes, model: type[Read]) -> Read:
    """A JSON body. Raises `Invalid` for what is no JSON, and `RequestValidationError`."""
    return validated(loads(body), model)


def validated(value: object, model: type[Read]) -> Read:
    """A body's value. Raises `RequestValidationError`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        wrong = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise RequestValidationError(wrong, body=value) from None


def parts(content_type: bytes, body: bytes, names: Sequence[str], most: int) -> list[tuple[str, bytes]]:
    """The parts of a multipart body in their order, of which there may be so many of these names. Raises `Invalid`."""
    found: list[tuple[str, bytearray]] = []

    def begin(part: Part) -> None:
        if part.name not in names:
            named = " or ".join(f"`{name}`" for name in names)
            raise Invalid.field("part_unexpected", ["body"], f"send the images as parts named {named}")
        found.append((part.name, bytearray()))

    def data(part: Part, piece: bytes) -> None:
        found[-1][1].extend(piece)

    reader = MultipartReader(boundary_of(content_type.decode("latin-1")), begin, data, max_parts=most)
    reader.feed(body)
    reader.finish()
    return [(name, bytes(content)) for name, content in found]
