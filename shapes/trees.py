"""Binary trees of words in brackets, as in the Stanford Sentiment Treebank (Socher et al. 2013).

`(3 (2 It) (4 (2 's) (4 good)))`: a node is `(label word)` or `(label node node)`.
"""

import re
from typing import NamedTuple

MAX_DEPTH = 1000
_BLANKS = " \t\r\n"
_PART = re.compile(rf"[{_BLANKS}]*([()]|[^{_BLANKS}()]+)")


class Malformed(ValueError):
    """A text is not a binary tree. Says what is wrong, what to do and where, in characters counted from 1."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(f"{problem} (character {at:,})")


class Node(NamedTuple):
    """A node of a tree. A leaf has a word; any other two children, which are places in the list of nodes."""

    label: str
    word: str | None
    left: int = -1
    right: int = -1
    height: int = 0
    """Nodes on the longest way down to a leaf, this one not counted."""


class _Open:
    """A node whose bracket has not been closed."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.label: str | None = None
        self.word: str | None = None
        self.children: list[int] = []


def parse(text: str) -> list[Node]:
    """The nodes of a tree, children before their parents: the root is the last.

    Without recursion, so that brackets however deep harm nothing.

    Raises:
        Malformed: brackets that do not match, a node that is neither a leaf nor has two children, more than
            `MAX_DEPTH` nodes above one another.
    """
    nodes: list[Node] = []
    path: list[_Open] = []
    end = len(text.rstrip(_BLANKS))
    at = 0
    while at < end:
        match = _PART.match(text, at)
        if match is None:
            raise Malformed("cannot be read", at + 1)
        part, at, place = match[1], match.end(), match.start(1) + 1
        if not path and nodes:
            raise Malformed("holds more behind the last bracket of its tree; write one tree a line", place)
        if part == "(":
            path.append(_opened(place, len(path)))
        elif not path:
            raise Malformed("does not begin with a bracket; write a tree as (label word) or (label tree tree)", place)
        elif part == ")":
            nodes.append(_closed(path.pop(), nodes))
            if path:
                path[-1].children.append(len(nodes) - 1)
        else:
            _take(path[-1], part, place)
    if path:
        raise Malformed(f"has {len(path):,} brackets that are never closed; check it", path[-1].at)
    if not nodes:
        raise Malformed("is empty; write a tree as (label word) or (label tree tree)", 1)
    return nodes


def _opened(place: int, depth: int) -> _Open:
    if depth == MAX_DEPTH:
        raise Malformed(f"nests more than {MAX_DEPTH:,} brackets; divide the tree", place)
    return _Open(place)


def _take(node: _Open, part: str, place: int) -> None:
    if node.label is None:
        node.label = part
    elif node.word is None and not node.children:
        node.word = part
    else:
        raise Malformed(
            f"has the word {part[:40]!r} beside another word or a tree; write each word as (label word)", place
        )


def _closed(node: _Open, nodes: list[Node]) -> Node:
    if node.label is None:
        raise Malformed("has a bracket without a label; write each node as (label word) or (label tree tree)", node.at)
    if node.word is not None and not node.children:
        return Node(node.label, node.word)
    if node.word is not None or len(node.children) != 2:
        raise Malformed(
            f"has a node {node.label[:40]!r} of {len(node.children):,} children; trees are binary here: give each"
            " node two children, or one word (binarise the trees and collapse nodes of one child)",
            node.at,
        )
    left, right = node.children
    return Node(node.label, None, left, right, 1 + max(nodes[left].height, nodes[right].height))
