"""Binary trees as rows of nodes, as `shapes.tokens` encodes them: the classes of all nodes, and trees to prove with.

Shapes: N trees, T nodes of the longest, four numbers to a node.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.ragged import Ragged
from shapes.trees import parse

Array = NDArray[np.int64]
Chooser = Callable[[int], int]
"""Of so many trees that stand side by side, the place of the one that is joined to the next."""


def node_classes(texts: Iterable[str], labels: Sequence[str]) -> Ragged:
    """The class of each node of trees in brackets, in the order of the nodes: children before parents."""
    codes = {label: code for code, label in enumerate(labels)}
    rows = (np.array([codes[node.label] for node in parse(text)], np.int64) for text in texts)
    return Ragged.of(rows, np.int64)


def forest(size: int, length: int, words: Array) -> Array:
    """`size` trees of at most `length` nodes (N, T, 4), padded, whose leaves are these words (V,) over and over.

    The first has as many nodes as an odd number can be, those behind it ever fewer. In turn they branch to the left, to
    the right, and at random.
    """
    random = np.random.default_rng(0)
    choosers: tuple[Chooser, ...] = (lambda _: 0, lambda count: count - 2, lambda n: int(random.integers(n - 1)))
    most = (length + 1) // 2
    trees = []
    for number in range(size):
        num_leaves = max(1, round(most * (size - number) / size))
        trees.append(_grown(np.resize(np.roll(words, -number), num_leaves), choosers[number % len(choosers)]))
    return Ragged.of(trees, np.int64).padded(length)


def _grown(words: Array, choose: Chooser) -> Array:
    """A tree (T, 4) of these leaves."""
    nodes = [[int(word), 0, 0, 0] for word in words]
    roots = list(range(len(nodes)))
    while len(roots) > 1:
        place = choose(len(roots))
        left, right = roots[place : place + 2]
        nodes.append([0, left + 1, right + 1, 1 + max(nodes[left][3], nodes[right][3])])
        roots[place : place + 2] = [len(nodes) - 1]
    return np.array(nodes, np.int64)
