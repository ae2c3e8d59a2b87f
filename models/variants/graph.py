"""What a graph's nodes are to each other, and the finish that every variant gets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from onnx import AttributeProto, GraphProto, ModelProto, NodeProto

from models.variants.source import Refused

PRODUCTS = frozenset({"Conv", "ConvTranspose", "Einsum", "GRU", "Gemm", "LSTM", "MatMul", "RNN"})
"""Operators that multiply by weights: where nearly all of the time goes."""


class Parts(NamedTuple):
    """A graph's nodes, each list in the graph's order. All edges go from an earlier part to a later one."""

    before: list[NodeProto]
    """Preprocessing: no product comes before them."""
    core: list[NodeProto]
    """The products and what is between them."""
    after: list[NodeProto]
    """Postprocessing: no product comes after them."""
    last: list[NodeProto]
    """Of the core, the products that no other follows."""


def parts(graph: GraphProto) -> Parts:
    """Divide a graph, whose nodes are in topological order, by its products."""
    require_flat(graph)
    fed = _reached(graph.node)
    feeding = _feeding(graph.node)
    before = [node for node, follows in zip(graph.node, fed, strict=True) if not follows]
    core = [node for node, follows, leads in zip(graph.node, fed, feeding, strict=True) if follows and leads]
    after = [node for node, follows, leads in zip(graph.node, fed, feeding, strict=True) if follows and not leads]
    needed = {name for node, leads in zip(graph.node, feeding, strict=True) if leads for name in node.input}
    last = [node for node in core if node.op_type in PRODUCTS and needed.isdisjoint(node.output)]
    return Parts(before, core, after, last)


def _reached(nodes: Sequence[NodeProto]) -> list[bool]:
    """For each node, whether it is a product or comes after one."""
    names: set[str] = set()
    reached = []
    for node in nodes:
        reached.append(node.op_type in PRODUCTS or not names.isdisjoint(node.input))
        if reached[-1]:
            names.update(node.output)
    return reached


def _feeding(nodes: Sequence[NodeProto]) -> list[bool]:
    """For each node, whether it is a product or comes before one."""
    names: set[str] = set()
    feeding = []
    for node in reversed(nodes):
        feeding.append(node.op_type in PRODUCTS or not names.isdisjoint(node.output))
        if feeding[-1]:
            names.update(name for name in node.input if name)
    return feeding[::-1]


def require_flat(graph: GraphProto) -> None:
    """Refuse a graph with graphs inside it.

    Raises:
        Refused: it has an `If`, `Loop` or `Scan`.
    """
    for node in graph.node:
        if any(attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for attribute in node.attribute):
            raise Refused(f"The graph has control flow ({node.op_type}), which this variant does not know.")


def name_nodes(graph: GraphProto) -> None:
    """Give every node a name of its own."""
    taken: set[str] = set()
    for place, node in enumerate(graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{place}"
        taken.add(node.name)


def finished(model: ModelProto, original: ModelProto) -> ModelProto:
    """The model with the original's metadata, and without imports of operator sets that it does not use."""
    del model.metadata_props[:]
    model.metadata_props.extend(original.metadata_props)
    used = set(_domains(model))
    kept = [opset for opset in model.opset_import if opset.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def _domains(model: ModelProto) -> Iterator[str]:
    yield ""
    graphs = [model.graph]
    for function in model.functions:
        yield function.domain
        yield from (opset.domain for opset in function.opset_import)
        graphs += _graphs_of(function.node)
    while graphs:
        graph = graphs.pop()
        yield from (node.domain for node in graph.node)
        graphs += _graphs_of(graph.node)


def _graphs_of(nodes: Sequence[NodeProto]) -> list[GraphProto]:
    return [
        graph
        for node in nodes
        for attribute in node.attribute
        for graph in ([attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs)
    ]
