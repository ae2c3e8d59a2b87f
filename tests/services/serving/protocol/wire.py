"""The protocol as a client writes and reads it, made from its text with `struct` and `json` alone."""

import json
import math
import struct
from dataclasses import dataclass, field
from typing import Any

FORMATS = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
DATATYPES = (*FORMATS, "BYTES")


@dataclass
class Tensor:
    """One tensor of a request: `elements` in row-major order."""

    name: str
    datatype: str
    shape: list[int]
    elements: list[Any]
    extra: dict[str, Any] = field(default_factory=dict)


def pack(datatype: str, elements: list[Any]) -> bytes:
    if datatype == "BYTES":
        encoded = [element if isinstance(element, bytes) else element.encode() for element in elements]
        return b"".join(struct.pack("<I", len(data)) + data for data in encoded)
    return struct.pack(f"<{len(elements)}{FORMATS[datatype]}", *elements)


def unpack(datatype: str, data: bytes) -> list[Any]:
    if datatype != "BYTES":
        return list(struct.unpack(f"<{len(data) // struct.calcsize(FORMATS[datatype])}{FORMATS[datatype]}", data))
    elements = []
    while data:
        (length,) = struct.unpack_from("<I", data)
        elements.append(data[4 : 4 + length].decode())
        data = data[4 + length :]
    return elements


def nested(shape: list[int], elements: list[Any]) -> Any:
    """The elements as lists in lists, as the shape is."""
    if not shape:
        return elements[0]
    step = math.prod(shape[1:])
    return [nested(shape[1:], elements[row * step : (row + 1) * step]) for row in range(shape[0])]


def json_request(*tensors: Tensor, **rest: Any) -> bytes:
    inputs = [
        {"name": t.name, "datatype": t.datatype, "shape": t.shape, "data": t.elements, **t.extra} for t in tensors
    ]
    return json.dumps({"inputs": inputs, **rest}).encode()


def binary_request(*tensors: Tensor, **rest: Any) -> tuple[bytes, int]:
    """The body and the length of its JSON."""
    pieces = [pack(t.datatype, t.elements) for t in tensors]
    inputs = [
        {
            "name": t.name,
            "datatype": t.datatype,
            "shape": t.shape,
            "parameters": {"binary_data_size": len(piece)},
            **t.extra,
        }
        for t, piece in zip(tensors, pieces, strict=True)
    ]
    header = json.dumps({"inputs": inputs, **rest}).encode()
    return b"".join((header, *pieces)), len(header)


def read_response(
    body: bytes, header_length: int | None
) -> tuple[dict[str, Any], dict[str, tuple[str, list[int], Any]]]:
    """The JSON of a response, and by name each output's datatype, shape and elements."""
    header = json.loads(body[:header_length])
    rest = b"" if header_length is None else body[header_length:]
    outputs = {}
    for output in header["outputs"]:
        if "data" in output:
            elements = output["data"]
        else:
            size = output["parameters"]["binary_data_size"]
            elements, rest = unpack(output["datatype"], rest[:size]), rest[size:]
        outputs[output["name"]] = (output["datatype"], output["shape"], elements)
    assert rest == b"", "bytes that no output declares"
    return header, outputs
