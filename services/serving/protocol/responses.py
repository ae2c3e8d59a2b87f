"""Inference responses, and the description of a model."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import orjson

from services.serving.protocol.datatypes import TensorSpec, datatype_of
from services.serving.protocol.requests import Header, RequestedOutput
from services.serving.protocol.tensors import to_bytes, to_json

MAX_KEPT = 512


def encode(
    request: Header, model_name: str, model_version: str, outputs: Mapping[str, np.ndarray]
) -> tuple[bytes, int | None]:
    """The body that answers a request, and the bytes of JSON at its beginning: None if all of it is JSON.

    `outputs` has every output that the request names; they are written in its order, or all of them in
    theirs if it names none. A length goes into `Inference-Header-Content-Length`.
    Raises `Invalid` for an output asked for in JSON with what JSON does not carry: FP16, NaN, infinities.
    """
    requested = request.outputs
    if requested is None:
        requested = tuple([RequestedOutput(name, request.binary_by_default) for name in outputs])
    described: list[bytes] = []
    binary_data: list[memoryview] = []
    for name, binary in requested:
        array = outputs[name]
        if binary:
            data = to_bytes(array)
            described.append(_describe(name, array.dtype, array.shape, data.nbytes))
            binary_data.append(data)
        else:
            described.append(_describe(name, array.dtype, array.shape, None) + to_json(name, array) + b"}")
    request_id = b"" if request.id is None else b'"id":' + orjson.dumps(request.id) + b","
    header = b'%s%s"outputs":[%s]}' % (_opening(model_name, model_version), request_id, b",".join(described))
    if not binary_data:
        return header, None
    return b"".join((header, *binary_data)), len(header)


@lru_cache(MAX_KEPT)
def _opening(model_name: str, model_version: str) -> bytes:
    return orjson.dumps({"model_name": model_name, "model_version": model_version})[:-1] + b","


@lru_cache(MAX_KEPT)
def _describe(name: str, dtype: np.dtype, shape: tuple[int, ...], num_bytes: int | None) -> bytes:
    """An output's object in JSON; without its data and end if these are not binary."""
    output: dict[str, Any] = {"name": name, "datatype": datatype_of(dtype), "shape": shape}
    if num_bytes is None:
        return orjson.dumps(output)[:-1] + b',"data":'
    return orjson.dumps({**output, "parameters": {"binary_data_size": num_bytes}})


def metadata(
    name: str, versions: Sequence[str], inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
) -> dict[str, Any]:
    """The metadata document of a model; a variable dimension is -1."""
    return {
        "name": name,
        "versions": list(versions),
        "platform": "onnx_onnxv1",
        "inputs": [_tensor(spec) for spec in inputs],
        "outputs": [_tensor(spec) for spec in outputs],
    }


def _tensor(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}
