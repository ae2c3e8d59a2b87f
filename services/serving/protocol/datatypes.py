"""The protocol's datatypes, and what each is in numpy and in ONNX Runtime."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from services.errors import Invalid

BYTES = "BYTES"

# The protocol's name, numpy's code (little-endian, as the wire is) and ONNX Runtime's name.
# BYTES are text in numpy's object arrays, as ONNX Runtime takes and gives `tensor(string)`.
# BF16 is a datatype of the protocol that numpy does not have: it is not served.
_TABLE = (
    ("BOOL", "?", "tensor(bool)"),
    ("UINT8", "u1", "tensor(uint8)"),
    ("UINT16", "<u2", "tensor(uint16)"),
    ("UINT32", "<u4", "tensor(uint32)"),
    ("UINT64", "<u8", "tensor(uint64)"),
    ("INT8", "i1", "tensor(int8)"),
    ("INT16", "<i2", "tensor(int16)"),
    ("INT32", "<i4", "tensor(int32)"),
    ("INT64", "<i8", "tensor(int64)"),
    ("FP16", "<f2", "tensor(float16)"),
    ("FP32", "<f4", "tensor(float)"),
    ("FP64", "<f8", "tensor(double)"),
    (BYTES, "O", "tensor(string)"),
)
DTYPES = {datatype: np.dtype(code) for datatype, code, _ in _TABLE}
_OF_DTYPE = {np.dtype(code): datatype for datatype, code, _ in _TABLE}
_OF_ONNX = {onnx_type: datatype for datatype, _, onnx_type in _TABLE}

# Refused in JSON, both ways.
BINARY_ONLY = frozenset({"FP16"})


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or output of a model: its datatype's name in the protocol, and its shape.

    The shape has the batch dimension; a variable dimension is -1.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


def spec_of(name: str, onnx_type: str, onnx_shape: Sequence[int | str | None]) -> TensorSpec:
    """The spec of what ONNX Runtime calls a `NodeArg`; dimensions without a number become -1.

    Raises `Invalid` for a type that is not of the protocol: BF16, other floats, sequences, maps.
    """
    datatype = _OF_ONNX.get(onnx_type)
    if datatype is None:
        served = ", ".join(_OF_ONNX)
        raise Invalid(
            "datatype_unknown", f"The tensor {name!r} is a {onnx_type}; export the model with one of {served}."
        )
    shape = tuple(size if isinstance(size, int) and size >= 0 else -1 for size in onnx_shape)
    return TensorSpec(name, datatype, shape)


def datatype_of(dtype: np.dtype) -> str:
    """The protocol's name of a numpy dtype. Raises `Invalid` for one that it does not have."""
    try:
        return _OF_DTYPE[dtype]
    except KeyError:
        raise Invalid("datatype_unknown", f"The dtype {dtype} is not one of {', '.join(_OF_ONNX.values())}.") from None
