"""Inference requests: a body, with or without binary data, to arrays that a model takes.

One JSON text after another differs only in its data when these are binary, so what was read from a short
text is kept and the next request costs a look-up. Keys that the protocol does not name are ignored, and null is
the same as leaving a key out.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import orjson

from services.errors import Invalid
from services.serving.protocol import tensors
from services.serving.protocol.datatypes import BYTES, DTYPES, TensorSpec
from services.serving.protocol.tensors import quoted
from services.unique_keys import check_unique_keys

MAX_PRIORITY = 9
MAX_KEPT = 512
MAX_KEPT_BYTES = 4096

# Parameters that change what a tensor is; to ignore one would answer something else than was asked.
_NOT_OFFERED = ("shared_memory_region", "classification")


class RequestedOutput(NamedTuple):
    """An output to answer with, as binary data or in JSON."""

    name: str
    binary: bool


class InferRequest(NamedTuple):
    """A request that fits the model's inputs; what its JSON says may be shared with other requests.

    `inputs` are read-only arrays by name, views of the body where they came as binary data.
    """

    header: "Header"
    inputs: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class _Input:
    spec: TensorSpec
    shape: tuple[int, ...]
    offset: int  # of its binary data, from the end of the header
    num_bytes: int
    array: np.ndarray | None  # if its data are in the header


@dataclass(frozen=True, slots=True)
class Header:
    """What is known before the binary data are read; shared by requests, so nothing in it may be changed.

    `outputs` is None where the request names none: then all are meant, binary if `binary_by_default`.
    `priority` is 1 (highest) to 9, or 0 for the default; `timeout_seconds` is None where none was given.
    """

    id: str | None
    inputs: tuple[_Input, ...]
    num_bytes: int  # of all binary data
    outputs: tuple[RequestedOutput, ...] | None
    parameters: Mapping[str, Any]
    binary_by_default: bool
    priority: int
    timeout_seconds: float | None


def decode(body: bytes, header_length: int | None, inputs: Sequence[TensorSpec]) -> InferRequest:
    """The request in a body (uncompressed), for a model with these inputs.

    `header_length` is the value of the header `Inference-Header-Content-Length`: the bytes of JSON before the
    binary data; None if it was not sent (all is JSON); 0 for a raw request (all is the data of one input).
    Raises `Invalid`, whose `detail` names the tensor and the remedy.
    """
    specs = tuple(inputs)
    if header_length is None:
        return _read(_parse(body, specs), body, len(body))
    if header_length == 0:
        return _read_raw(body, specs)
    if not 0 < header_length <= len(body):
        raise Invalid(
            "header_length_invalid",
            f"The header Inference-Header-Content-Length is {header_length} and the body has {len(body)} bytes; "
            "give the number of bytes that the JSON takes at its beginning.",
        )
    parse = _parse_or_recall if header_length <= MAX_KEPT_BYTES else _parse
    return _read(parse(body[:header_length], specs), body, header_length)


def check_outputs(request: Header, outputs: Sequence[TensorSpec]) -> None:
    """Raise `Invalid` if the request asks for an output that the model has not, or in a form that it cannot have.

    To be called before the model runs, so that no work is done for nothing.
    """
    requested = request.outputs
    if requested is None and request.binary_by_default:
        return
    datatypes = {spec.name: spec.datatype for spec in outputs}
    if requested is None:
        requested = tuple(RequestedOutput(name, request.binary_by_default) for name in datatypes)
    for name, binary in requested:
        if name not in datatypes:
            raise tensors.invalid(f"The model has no output {quoted(name)}; its outputs are {_listed(datatypes)}.")
        if not binary:
            tensors.check_json(name, datatypes[name])


def check_ranges(inputs: Mapping[str, np.ndarray], ranges: Mapping[str, int]) -> None:
    """Raise `Invalid` for a number that stands for nothing; `ranges` says how many there are, counted from 0.

    A graph would take some of these for others.
    """
    for name, count in ranges.items():
        array = inputs[name]
        wrong = array[(array < 0) | (array >= count)]
        if len(wrong):
            raise tensors.invalid(f"The input {quoted(name)} holds {wrong[0]}; its numbers are from 0 to {count - 1}.")


def _read(header: Header, body: bytes, start: int) -> InferRequest:
    if len(body) - start != header.num_bytes:
        raise tensors.invalid(
            f"{len(body) - start} bytes follow the JSON, but the `binary_data_size` of the inputs are "
            f"{header.num_bytes} together; send as many bytes as the inputs declare."
        )
    arrays: dict[str, np.ndarray] = {}
    for given in header.inputs:
        array = given.array
        if array is None:
            array = tensors.from_bytes(given.spec, given.shape, body, start + given.offset, given.num_bytes)
        arrays[given.spec.name] = array
    return InferRequest(header, arrays)


def _read_raw(body: bytes, specs: tuple[TensorSpec, ...]) -> InferRequest:
    if len(specs) != 1:
        raise tensors.invalid(
            f"A raw request (Inference-Header-Content-Length: 0) is for models with one input and this one has "
            f"{len(specs)}: {_listed([spec.name for spec in specs])}; send the JSON header."
        )
    if specs[0].datatype == BYTES:  # its one element comes without the length
        body = len(body).to_bytes(4, "little") + body
    return _read(_deduce(specs[0], len(body)), body, 0)


@lru_cache(MAX_KEPT)
def _deduce(spec: TensorSpec, num_bytes: int) -> Header:
    """The header that a raw request goes without: a batch of one, its variable dimension told by the bytes."""
    shape = [1, *spec.shape[1:]] if spec.shape[:1] == (-1,) else list(spec.shape)
    variable = [axis for axis, size in enumerate(shape) if size == -1]
    if len(variable) > (0 if spec.datatype == BYTES else 1):
        raise tensors.invalid(
            f"The bytes of a raw request do not tell the shape of the input {spec.name!r}, "
            f"which is {list(spec.shape)}; send the JSON header."
        )
    for axis in variable:
        step = math.prod(size for size in shape if size != -1) * DTYPES[spec.datatype].itemsize
        shape[axis] = num_bytes // max(step, 1)
    checked = tensors.check_shape(spec, shape)
    tensors.check_size(spec, checked, num_bytes)
    return Header(None, (_Input(spec, checked, 0, num_bytes, None),), num_bytes, None, {}, True, 0, None)


def _parse(text: bytes, specs: tuple[TensorSpec, ...]) -> Header:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(
            "json_invalid",
            f"The request is not valid JSON at the character {error.pos}: {error.msg}. Send NaN and infinities as "
            "binary data, and the length of the JSON before binary data in Inference-Header-Content-Length.",
        ) from None
    if not isinstance(document, dict):
        raise Invalid("json_invalid", "The request is a JSON object with the key `inputs`.")
    check_unique_keys(text, _num_keys(document))
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise Invalid("id_invalid", "The `id` of the request is a string.")
    parameters = _parameters_of(document, "the request")
    inputs = _parse_inputs(document, specs)
    timeout_us = _whole(parameters, "timeout", None)
    return Header(
        request_id,
        inputs,
        sum(given.num_bytes for given in inputs),
        _parse_outputs(document),
        MappingProxyType(parameters),
        _flag(parameters, "binary_data_output", "the request"),
        _whole(parameters, "priority", MAX_PRIORITY),
        timeout_us / 1e6 if timeout_us else None,
    )


def _num_keys(document: dict[str, Any]) -> int:
    """How many keys stand where the protocol has objects."""
    objects = [document, *_objects(document, "inputs"), *_objects(document, "outputs")]
    parameters = [each.get("parameters") for each in objects]
    return sum(len(each) for each in [*objects, *parameters] if isinstance(each, dict))


_parse_or_recall = lru_cache(MAX_KEPT)(_parse)


def _parse_inputs(document: dict[str, Any], specs: tuple[TensorSpec, ...]) -> tuple[_Input, ...]:
    by_name = {spec.name: spec for spec in specs}
    inputs: dict[str, _Input] = {}
    offset = 0
    for given in _objects(document, "inputs"):
        name = given.get("name")
        if not isinstance(name, str) or name not in by_name:
            raise tensors.invalid(f"The model has no input {quoted(name)}; its inputs are {_listed(by_name)}.")
        if name in inputs:
            raise tensors.invalid(f"The input {name!r} is given twice; give each input once.")
        inputs[name] = _parse_input(given, by_name[name], offset)
        offset += inputs[name].num_bytes
    missing = [name for name in by_name if name not in inputs]
    if missing:
        raise tensors.invalid(f"The request lacks the input {_listed(missing)}; the model takes {_listed(by_name)}.")
    return tuple(inputs.values())


def _parse_input(given: dict[str, Any], spec: TensorSpec, offset: int) -> _Input:
    if given.get("datatype") != spec.datatype:
        raise tensors.invalid(
            f"The `datatype` of the input {spec.name!r} is {quoted(given.get('datatype'))}; "
            f"the model takes {spec.datatype}."
        )
    shape = tensors.check_shape(spec, given.get("shape"))
    owner = f"the input {spec.name!r}"
    num_bytes = _tensor_parameters(given, owner).get("binary_data_size")
    data = given.get("data")
    if (data is None) == (num_bytes is None):
        raise tensors.invalid(f"Give {owner} either `data` or the parameter `binary_data_size`, and not both.")
    if num_bytes is None:
        return _Input(spec, shape, offset, 0, tensors.from_json(spec, shape, data))
    if type(num_bytes) is not int or num_bytes < 0:
        raise tensors.invalid(f"The `binary_data_size` of {owner} is a whole number of bytes from 0 up.")
    tensors.check_size(spec, shape, num_bytes)
    return _Input(spec, shape, offset, num_bytes, None)


def _parse_outputs(document: dict[str, Any]) -> tuple[RequestedOutput, ...] | None:
    outputs: dict[str, RequestedOutput] = {}
    for given in _objects(document, "outputs"):
        name = given.get("name")
        owner = f"the output {quoted(name)}"
        if not isinstance(name, str) or name in outputs:
            raise tensors.invalid(f"Give each output its `name` once; the request has {owner} twice or without one.")
        outputs[name] = RequestedOutput(name, _flag(_tensor_parameters(given, owner), "binary_data", owner))
    return tuple(outputs.values()) or None


def _objects(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    values = document.get(key)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise tensors.invalid(f"`{key}` is a list of objects, one for each tensor.")
    return values


def _parameters_of(given: dict[str, Any], owner: str) -> dict[str, Any]:
    parameters = given.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict) or any(isinstance(value, list | dict) for value in parameters.values()):
        raise Invalid("parameters_invalid", f"The `parameters` of {owner} are an object of strings, numbers and flags.")
    return {name: value for name, value in parameters.items() if value is not None}


def _tensor_parameters(given: dict[str, Any], owner: str) -> dict[str, Any]:
    parameters = _parameters_of(given, owner)
    for name in _NOT_OFFERED:
        if name in parameters:
            raise tensors.invalid(f"The parameter `{name}` of {owner} is not offered here; leave it out.")
    return parameters


def _flag(parameters: dict[str, Any], name: str, owner: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise Invalid("parameters_invalid", f"The parameter `{name}` of {owner} is true or false.")
    return value


def _whole(parameters: dict[str, Any], name: str, maximum: int | None) -> int:
    value = parameters.get(name, 0)
    if type(value) is not int or value < 0 or (maximum is not None and value > maximum):
        limit = "up" if maximum is None else f"to {maximum}"
        raise Invalid(
            "parameters_invalid", f"The parameter `{name}` is a whole number from 0 {limit}; 0 is the default."
        )
    return value


def _listed(names: Sequence[str] | dict[str, Any]) -> str:
    return ", ".join(map(repr, names))
