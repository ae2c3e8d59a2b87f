"""Operators that could make much text of little.

ONNX Runtime keeps the letters of strings on the heap, which the arena that users' graphs share does not bound: twelve
nodes that each join a text to itself make 1.6 GB of 400 kB. So text may only go where it is not multiplied.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, ValueInfoProto
from onnx.numpy_helper import to_array

from models.acceptance.structure import has_graph
from models.acceptance.walking import Message, quoted, walk
from models.errors import JobError

MAX_COPIES = 64
"""Of what a request's input has in text, in all tensors together."""
MAX_BYTES = 128
"""Of a text in the file, which may be the answer for every element."""
KEEPING = frozenset(
    {
        *("Cast", "CategoryMapper", "Compress", "Concat", "Constant", "Equal", "Flatten", "Identity", "LabelEncoder"),
        *("LinearClassifier", "OneHotEncoder", "RegexFullMatch", "Reshape", "Shape", "Size", "Slice", "Split"),
        *("Squeeze", "StringNormalizer", "SVMClassifier", "TfIdfVectorizer", "Transpose", "TreeEnsembleClassifier"),
        *("Unsqueeze", "ArrayFeatureExtractor", "Gather"),
    }
)
"""Operators whose texts are no longer than all that they are given, or stand in the file."""
CHOOSING = frozenset({"ArrayFeatureExtractor", "Gather"})
"""Those of them that repeat what is asked for again and again."""


def longest(model: ModelProto) -> int:
    """Bytes of the longest text in a model that still has its weights."""
    return max((len(text) for message in walk(model) for text in _texts_in(message)), default=0)


def require_bounded(inferred: ModelProto, longest: int) -> None:
    """Refuse a model with types inferred in which text could be multiplied; `longest` is of the model before that.

    Raises:
        JobError: `unbounded_text`.
    """
    messages = list(walk(inferred))
    types = {value.name: value.type.tensor_type.elem_type for value in messages if isinstance(value, ValueInfoProto)}
    if TensorProto.STRING not in types.values() and not any(map(_makes_text, messages)):
        return
    if inferred.functions or any(isinstance(each, NodeProto) and has_graph(each) for each in messages):
        raise JobError("unbounded_text", "The graph has text, and graphs or functions of its own; do without either.")
    if longest > MAX_BYTES:
        raise JobError("unbounded_text", f"A text in the file has more than {MAX_BYTES} bytes; use shorter ones.")
    graph = inferred.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    types |= {name: tensor.data_type for name, tensor in constants.items()}
    # What no rule says the type of may be text.
    may_be_text = {name for node in graph.node for name in (*node.input, *node.output) if name} - {
        name for name, kind in types.items() if kind not in (TensorProto.UNDEFINED, TensorProto.STRING)
    }
    nodes = [node for node in graph.node if may_be_text & {*node.input, *node.output}]
    for node in nodes:
        if node.op_type not in KEEPING:
            raise _refusal(node, "could multiply it")
    for value in graph.input:
        if value.name in may_be_text and value.name not in constants:
            _require_few_copies(value.name, nodes, may_be_text, constants)


def _require_few_copies(
    source: str, nodes: list[NodeProto], may_be_text: set[str], constants: Mapping[str, TensorProto]
) -> None:
    copies, total = {source: 1}, 1
    for node in nodes:
        made = sum(copies.get(name, 0) for name in node.input)
        if made and node.op_type in CHOOSING:
            made *= _repetitions(node, constants)
        for name in node.output:
            if made and name in may_be_text:
                copies[name] = made
                total += made
        if total > MAX_COPIES:
            raise _refusal(node, f"makes the {MAX_COPIES + 1}th copy of what the input {quoted(source)} has")


def _repetitions(node: NodeProto, constants: Mapping[str, TensorProto]) -> int:
    """How often a choice is made again."""
    places = constants.get(node.input[1]) if len(node.input) > 1 else None
    if places is None:
        raise _refusal(node, "could multiply it, as what it chooses is not said in the file")
    _, counts = np.unique(to_array(places), return_counts=True)
    return int(counts.max(initial=0))


def _makes_text(message: Message) -> bool:
    if isinstance(message, TensorProto):
        return bool(message.data_type == TensorProto.STRING)
    if isinstance(message, AttributeProto):
        return bool(message.strings) or (message.name == "to" and message.i == TensorProto.STRING)
    return False


def _texts_in(message: Message) -> Iterator[bytes]:
    if isinstance(message, TensorProto):
        yield from message.string_data
    if isinstance(message, AttributeProto):
        yield from (message.s, *message.strings)


def _refusal(node: NodeProto, why: str) -> JobError:
    named = f"The node {quoted(node.name or next(iter(node.output), ''))} ({quoted(node.op_type)})"
    return JobError("unbounded_text", f"{named} takes or gives text, and {why}; do this before the request.")
