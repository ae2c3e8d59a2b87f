"""The functions that a model brings along, of which ONNX Runtime puts a copy in the place of each call."""

from typing import NamedTuple

from onnx import FunctionProto, ModelProto, NodeProto

from models.acceptance.walking import MAX_DEPTH, Message, domain_of, quoted, walk
from models.errors import JobError

Key = tuple[str, str, str]


class Extent(NamedTuple):
    """How much a graph or function comes to."""

    nodes: int
    """With every call replaced by what it calls."""
    depth: int
    """Of functions that call functions; 0 where none is called."""


class Functions:
    """Counts nodes as ONNX Runtime will have them.

    Forty functions that each call the next one twice are a trillion nodes in a file of a few kilobytes.
    """

    def __init__(self, model: ModelProto) -> None:
        self._functions = {_key(function): function for function in model.functions}
        if len(self._functions) < len(model.functions):
            raise JobError("model_invalid", "The file defines a function twice.")
        self._extents: dict[Key, Extent] = {}

    def has(self, node: NodeProto) -> bool:
        """Whether a node calls one of the functions."""
        return _called(node) in self._functions

    def largest_extent(self, model: ModelProto) -> int:
        """Nodes of the model's graph, or of the largest function if that is more.

        Raises:
            JobError: `recursive_functions` or `nested_too_deep`.
        """
        extents = [self._extent(model.graph, ()), *(self._of(key, ()) for key in self._functions)]
        return max(extent.nodes for extent in extents)

    def _of(self, key: Key, calls: tuple[Key, ...]) -> Extent:
        if key in calls:
            raise JobError("recursive_functions", f"The function {quoted(key[1])} calls itself.")
        if key not in self._extents:
            self._extents[key] = self._extent(self._functions[key], (*calls, key))
        return self._extents[key]

    def _extent(self, message: Message, calls: tuple[Key, ...]) -> Extent:
        nodes = [each for each in walk(message) if isinstance(each, NodeProto)]
        # As a set, since deep chains are found where they are first met.
        called = {_called(node) for node in nodes if self.has(node)}
        extents = {key: self._of(key, calls) for key in called} if len(calls) <= MAX_DEPTH else {}
        depth = max((extent.depth + 1 for extent in extents.values()), default=0)
        if depth > MAX_DEPTH or len(calls) > MAX_DEPTH:
            raise JobError("nested_too_deep", f"Functions call functions, more than {MAX_DEPTH} deep.")
        return Extent(len(nodes) + sum(extents[_called(node)].nodes for node in nodes if self.has(node)), depth)


def _key(function: FunctionProto) -> Key:
    return domain_of(function), function.name, function.overload


def _called(node: NodeProto) -> Key:
    return domain_of(node), node.op_type, node.overload
