"""Everything there is in a parsed model, wherever it stands."""

from collections.abc import Iterator
from typing import Any

from onnx import GraphProto, TensorProto

from models.errors import JobError

MAX_DEPTH = 16
"""Of graphs within graphs, and of functions that call functions."""

Message = Any
"""A message of onnx, such as a GraphProto: protobuf ships no types for what they share."""


def walk(message: Message, depth: int = 0) -> Iterator[Message]:
    """The message and every message within it, whatever field holds it; tensors are not looked into.

    Raises:
        JobError: `nested_too_deep`.
    """
    depth += isinstance(message, GraphProto)
    if depth > MAX_DEPTH:
        raise JobError("nested_too_deep", f"The graph has graphs within graphs, more than {MAX_DEPTH} deep.")
    yield message
    if isinstance(message, TensorProto):
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for child in value if field.is_repeated else [value]:
                yield from walk(child, depth)


def domain_of(holder: Message) -> str:
    """The domain of a node, function or operator set; the standard one has two names."""
    return "" if holder.domain == "ai.onnx" else str(holder.domain)


def quoted(name: str) -> str:
    """A name out of the file, for a message: short, and harmless to a terminal."""
    return repr(name[:60])
