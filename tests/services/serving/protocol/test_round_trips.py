"""Any tensor goes both ways unchanged, and any bytes at all end in a request or a clear refusal."""

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.errors import SyllabusError
from services.serving.protocol.datatypes import TensorSpec
from services.serving.protocol.requests import InferRequest, check_outputs, decode
from services.serving.protocol.responses import encode
from tests.services.serving.protocol.wire import (
    DATATYPES,
    Tensor,
    binary_request,
    json_request,
    nested,
    pack,
    read_response,
)

ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "BOOL": st.booleans(),
    "BYTES": st.text(max_size=5),
    **{f"INT{bits}": st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}


@st.composite
def tensors(draw: st.DrawFn, name: str, finite: bool) -> Tensor:
    datatypes = [datatype for datatype in DATATYPES if not (finite and datatype == "FP16")]
    datatype = draw(st.sampled_from(datatypes))
    shape = [draw(st.integers(1, 3)), *draw(st.lists(st.integers(0, 3), max_size=3))]
    elements = ELEMENTS.get(datatype)
    if elements is None:
        width: Any = int(datatype[2:])
        elements = st.floats(width=width, allow_nan=not finite, allow_infinity=not finite)
    count = math.prod(shape)
    return Tensor(name, datatype, shape, draw(st.lists(elements, min_size=count, max_size=count)))


def several(finite: bool) -> st.SearchStrategy[list[Tensor]]:
    return st.lists(st.sampled_from("abc"), unique=True, min_size=1).flatmap(
        lambda names: st.tuples(*(tensors(name, finite) for name in names)).map(list)
    )


def specs_of(given_tensors: list[Tensor]) -> tuple[TensorSpec, ...]:
    # The first dimension is the batch; a dimension of 3 is made a fixed one.
    shapes = [(-1, *(size if size == 3 else -1 for size in t.shape[1:])) for t in given_tensors]
    return tuple(TensorSpec(t.name, t.datatype, shape) for t, shape in zip(given_tensors, shapes, strict=True))


def check_same(request: InferRequest, sent: list[Tensor]) -> None:
    assert [*request.inputs] == [t.name for t in sent]
    for t in sent:
        array = request.inputs[t.name]
        assert array.shape == tuple(t.shape)
        assert not array.flags.writeable
        if t.datatype == "BYTES":
            assert array.reshape(-1).tolist() == t.elements
        else:
            assert array.tobytes() == pack(t.datatype, t.elements)


@given(several(finite=False), st.none() | st.text())
def test_binary_requests_and_their_echo(sent: list[Tensor], request_id: str | None) -> None:
    body, length = binary_request(*sent, id=request_id, parameters={"binary_data_output": True})
    request = decode(body, length, specs_of(sent))
    check_same(request, sent)
    check_outputs(request.header, specs_of(sent))
    header, read = read_response(*encode(request.header, "m", "1", request.inputs))
    assert header.get("id") == request_id
    for t in sent:
        datatype, shape, elements = read[t.name]
        assert (datatype, shape) == (t.datatype, t.shape)
        assert pack(datatype, elements) == pack(t.datatype, t.elements)


@given(several(finite=True), st.booleans())
def test_json_requests_and_their_echo(sent: list[Tensor], is_nested: bool) -> None:
    extra = [Tensor(t.name, t.datatype, t.shape, nested(t.shape, t.elements)) if is_nested else t for t in sent]
    request = decode(json_request(*extra), None, specs_of(sent))
    check_same(request, sent)
    check_outputs(request.header, specs_of(sent))
    body, header_length = encode(request.header, "m", "1", request.inputs)
    assert header_length is None
    for t in sent:
        datatype, shape, elements = read_response(body, None)[1][t.name]
        assert (datatype, shape) == (t.datatype, t.shape)
        assert pack(datatype, elements) == pack(t.datatype, t.elements)


# --- Anything at all --------------------------------------------------------------------------------

MODEL = (
    TensorSpec("a", "FP32", (-1, 2)),
    TensorSpec("b", "BYTES", (-1, -1)),
    TensorSpec("c", "BOOL", (-1,)),
)


def read_or_refuse(body: bytes, header_length: int | None, specs: tuple[TensorSpec, ...]) -> None:
    """Anything but a `SyllabusError` fails the test."""
    detail = "."
    try:
        request = decode(body, header_length, specs)
        check_outputs(request.header, specs)
        read_response(*encode(request.header, "m", "1", request.inputs))
    except SyllabusError as error:
        detail = error.detail
    assert detail.endswith(".")
    assert len(detail) < 1000


@given(st.binary(max_size=200), st.none() | st.integers() | st.integers(0, 200), st.integers(0, 3))
def test_any_bytes(body: bytes, header_length: int | None, num_inputs: int) -> None:
    read_or_refuse(body, header_length, MODEL[:num_inputs])
    read_or_refuse(body, 0, MODEL[num_inputs : num_inputs + 1])


NAMES = st.sampled_from(["a", "b", "c", "d"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | NAMES
VALUES = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3), v, max_size=3))
PARAMETERS = VALUES | st.dictionaries(
    st.sampled_from(["binary_data_size", "binary_data", "binary_data_output", "priority", "timeout", "classification"]),
    VALUES | st.integers(0, 20),
)
INPUTS = st.fixed_dictionaries(
    {},
    optional={
        "name": NAMES | VALUES,
        "datatype": st.sampled_from(["FP32", "BYTES", "BOOL"]) | VALUES,
        "shape": st.lists(st.integers(-1, 3) | st.integers(), max_size=3) | VALUES,
        "data": st.lists(VALUES, max_size=4) | VALUES,
        "parameters": PARAMETERS,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"inputs": st.lists(INPUTS, max_size=3) | VALUES},
    optional={"id": VALUES, "outputs": st.lists(INPUTS, max_size=2) | VALUES, "parameters": PARAMETERS},
)


@given(DOCUMENTS | VALUES, st.binary(max_size=20), st.integers(0, 3))
def test_any_json(document: Any, rest: bytes, num_inputs: int) -> None:
    header = json.dumps(document).encode()
    read_or_refuse(header + rest, len(header), MODEL[:num_inputs])
    read_or_refuse(header, None, MODEL[:num_inputs])


@given(several(finite=False), st.data())
def test_requests_damaged_in_one_place(sent: list[Tensor], data: st.DataObject) -> None:
    body, length = binary_request(*sent)
    start = data.draw(st.integers(0, len(body)))
    stop = data.draw(st.integers(start, len(body)))
    damaged = body[:start] + data.draw(st.binary(max_size=4)) + body[stop:]
    read_or_refuse(damaged, length, specs_of(sent))
    read_or_refuse(body, length + data.draw(st.integers(-4, 4)), specs_of(sent))
