"""One tensor: its shape checked, its elements read from JSON or bytes, and written as either."""

import math
from itertools import chain
from typing import Any

import numpy as np
import orjson

from services.errors import Invalid
from services.serving.protocol.datatypes import BINARY_ONLY, BYTES, DTYPES, TensorSpec, datatype_of

# More than a body holds. Only a shape with a 0 in it comes so far, and numpy multiplies its other sizes in 64 bits.
MAX_ELEMENTS = 2**40
# What a message quotes of a request is cut here: it may be as long as the request.
MAX_QUOTED = 100

# By numpy's kind: the JSON values that may stand for an element.
_KINDS: dict[str, set[type]] = {"b": {bool}, "u": {int}, "i": {int}, "f": {int, float}, "O": {str}}


def invalid(detail: str) -> Invalid:
    """The error of a request whose tensors are not what the model takes; `detail` is a full sentence."""
    return Invalid("tensor_invalid", detail)


def quoted(value: object) -> str:
    """A value of the request for a message, cut to `MAX_QUOTED` characters; lists and objects only by their kind."""
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "an object"
    return repr(value[:MAX_QUOTED] if isinstance(value, str) else value)


def check_shape(spec: TensorSpec, shape: object) -> tuple[int, ...]:
    """The shape that a request gives an input, if it is one of the model's; nothing is allocated for it.

    Raises `Invalid` for another rank, a fixed dimension that differs, an empty batch, and sizes
    beyond `MAX_ELEMENTS`. Other variable dimensions may be 0, as the past of a first step is.
    """
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        raise invalid(f"Give the input {spec.name!r} a `shape`: a list of whole numbers from 0 up.")
    fits = len(shape) == len(spec.shape) and all(
        expected in (-1, size) for expected, size in zip(spec.shape, shape, strict=True)
    )
    if not fits or shape[:1] == [0]:
        raise invalid(
            f"The input {spec.name!r} has the shape {str(shape)[:MAX_QUOTED]}; "
            f"the model takes {list(spec.shape)}, where -1 is any size and the first is at least 1."
        )
    if math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS:
        raise invalid(f"The sizes in the `shape` of the input {spec.name!r} are too large; send smaller ones.")
    return tuple(shape)


def from_json(spec: TensorSpec, shape: tuple[int, ...], data: object) -> np.ndarray:
    """The read-only array of `data`, a list of the elements in row-major order or lists nested as `shape` is.

    Raises `Invalid` for a datatype that JSON does not carry, lists that do not fit the shape, values of
    another kind (1.5 or true for a whole number), and values out of the datatype's range.
    """
    if spec.datatype in BINARY_ONLY:
        raise invalid(
            f"The input {spec.name!r} is {spec.datatype}, which JSON does not carry; send it to /v2 as binary data."
        )
    dtype = DTYPES[spec.datatype]
    array = _to_array(dtype, _flatten(spec, shape, data))
    if array is None:
        raise invalid(f"The `data` of the input {spec.name!r} ({spec.datatype}) are {_expected(dtype)}.")
    array.flags.writeable = False
    return array.reshape(shape)


def _to_array(dtype: np.dtype, elements: list[Any]) -> np.ndarray | None:
    if not _KINDS[dtype.kind].issuperset(map(type, elements)):
        return None
    try:
        with np.errstate(over="ignore"):
            array = np.array(elements, dtype)
    except OverflowError:
        return None
    return array if dtype.kind != "f" or np.isfinite(array).all() else None


def _expected(dtype: np.dtype) -> str:
    match dtype.kind:
        case "b":
            return "true or false"
        case "O":
            return "strings"
        case "f":
            return f"numbers from {np.finfo(dtype).min:.4g} to {np.finfo(dtype).max:.4g}"
        case _:
            return f"whole numbers from {np.iinfo(dtype).min} to {np.iinfo(dtype).max}"


def _flatten(spec: TensorSpec, shape: tuple[int, ...], data: object) -> list[Any]:
    if not isinstance(data, list):
        raise invalid(f"The `data` of the input {spec.name!r} are a list.")
    if not data or not isinstance(data[0], list):
        if len(data) != math.prod(shape):
            raise invalid(
                f"The `data` of the input {spec.name!r} have {len(data)} elements; "
                f"the shape {list(shape)} has {math.prod(shape)}."
            )
        return data
    level: list[Any] = [data]
    for size in shape:
        if any(not isinstance(row, list) or len(row) != size for row in level):
            raise invalid(
                f"The lists in the `data` of the input {spec.name!r} are not nested as the shape {list(shape)} is."
            )
        level = list(chain.from_iterable(level))
    return level


def check_size(spec: TensorSpec, shape: tuple[int, ...], num_bytes: int) -> None:
    """Raise `Invalid` unless a tensor of this shape has so many bytes; how many BYTES have shows in reading them."""
    expected = math.prod(shape) * DTYPES[spec.datatype].itemsize
    if spec.datatype != BYTES and num_bytes != expected:
        raise invalid(
            f"The input {spec.name!r} has {num_bytes} bytes of binary data; "
            f"the shape {list(shape)} of {spec.datatype} has {expected}."
        )


def from_bytes(spec: TensorSpec, shape: tuple[int, ...], body: bytes, offset: int, num_bytes: int) -> np.ndarray:
    """The read-only array of the bytes of `body` at `offset`, whose number `check_size` has accepted.

    A view of the body, so its elements may lie at any address: numpy and ONNX Runtime read them there.
    Raises `Invalid` for a BOOL that is neither 0 nor 1, and BYTES that are not UTF-8 or whose lengths lie.
    """
    if spec.datatype == BYTES:
        texts = np.array(_read_texts(spec, math.prod(shape), body, offset, offset + num_bytes), object)
        texts.flags.writeable = False
        return texts.reshape(shape)
    array = np.ndarray(shape, DTYPES[spec.datatype], body, offset)
    if spec.datatype == "BOOL" and array.view(np.uint8).max(initial=0) > 1:
        raise invalid(f"The input {spec.name!r} is BOOL; each byte of it is 0 or 1.")
    return array


def _read_texts(spec: TensorSpec, count: int, body: bytes, position: int, end: int) -> list[str]:
    texts: list[str] = []
    while position < end and len(texts) < count:
        start = position + 4
        position = start + int.from_bytes(body[position:start], "little")
        if position > end:
            raise invalid(
                f"The element {len(texts)} of the input {spec.name!r} (BYTES) runs beyond its binary data; "
                "begin each element with its length, four bytes little-endian."
            )
        try:
            texts.append(body[start:position].decode())
        except UnicodeDecodeError:
            raise invalid(f"The element {len(texts)} of the input {spec.name!r} (BYTES) is not UTF-8.") from None
    if position != end or len(texts) != count:
        raise invalid(
            f"The binary data of the input {spec.name!r} (BYTES) end at the element {len(texts)} "
            f"with {end - position} bytes left; its shape has {count} elements and no byte more."
        )
    return texts


def check_json(name: str, datatype: str) -> None:
    """Raise `Invalid` if JSON does not carry the datatype of this output."""
    if datatype in BINARY_ONLY:
        raise invalid(f"The output {name!r} is {datatype}, which JSON does not carry; ask for it as `binary_data`.")


def to_json(name: str, array: np.ndarray) -> bytes:
    """The elements in row-major order as a flat JSON list. Raises `Invalid` for what JSON has no text for.

    That is FP16, and NaN and the infinities (RFC 8259, section 6): they are never written as null.
    """
    check_json(name, datatype_of(array.dtype))
    if array.dtype.kind == "O":
        return orjson.dumps(array.reshape(-1).tolist())
    data = orjson.dumps(np.ascontiguousarray(array).reshape(-1), option=orjson.OPT_SERIALIZE_NUMPY)
    if b"null" in data:  # what orjson writes for them, and for nothing else in an array of numbers
        raise invalid(
            f"The output {name!r} has NaN or infinite values, which JSON does not carry; ask for it as `binary_data`."
        )
    return data


def to_bytes(array: np.ndarray) -> memoryview:
    """The elements in row-major order: the array's own memory where it is that already."""
    if array.dtype.kind != "O":
        return np.ascontiguousarray(array).data
    pieces: list[bytes] = []
    for text in array.reshape(-1).tolist():
        data = text.encode()
        pieces += (len(data).to_bytes(4, "little"), data)
    return memoryview(b"".join(pieces))
