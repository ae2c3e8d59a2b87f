"""Binary trees of words in brackets, as in the Stanford Sentiment Treebank (Socher et al. 2013).

`(3 (2 It) (4 (2 's) (4 good)))`: a node is `(label word)` or `(label node node)`.
"""

import re
from typing import NamedTuple

MAX_DEPTH = 1000
_PART = re.compile(r"[ \t]*([()]|[^ \t()]+)")


class Malformed(ValueError):
    """A text is not a binary tree. Says what is wrong and what to do."""


class Node(NamedTuple):
    """A node of a tree. A leaf has a word; any other two children, which are places in the list of nodes."""

    label: str
    word: str | None
    left: int = -1
    right: int = -1


class _Open:
    """A node whose bracket has not been closed."""

    def __init__(self) -> None:
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
    end = len(text.rstrip(" \t"))
    at = 0
    while at < end:
        match = _PART.match(text, at)
        if match is None:
            raise Malformed("cannot be read")
        part, at = match[1], match.end()
        if not path and nodes:
            raise Malformed("holds more behind the last bracket of its tree; write one tree a line")
        if part == "(":
            path.append(_Open())
            if len(path) > MAX_DEPTH:
                raise Malformed(f"nests more than {MAX_DEPTH:,} brackets; divide the tree")
        elif not path:
            raise Malformed("does not begin with a bracket; write a tree as (label word) or (label tree tree)")
        elif part == ")":
            nodes.append(_closed(path.pop()))
            if path:
                path[-1].children.append(len(nodes) - 1)
        else:
            _take(path[-1], part)
    if path or not nodes:
        raise Malformed(f"has {len(path):,} brackets that are never closed; check it")
    return nodes


def _take(node: _Open, part: str) -> None:
    if node.label is None:
        node.label = part
    elif node.word is None and not node.children:
        node.word = part
    else:
        raise Malformed(f"has the word {part[:40]!r} beside another word or a tree; write each word as (label word)")


def _closed(node: _Open) -> Node:
    if node.label is None:
        raise Malformed("has a bracket without a label; write each node as (label word) or (label tree tree)")
    if node.word is not None and not node.children:
        return Node(node.label, node.word)
    if node.word is not None or len(node.children) != 2:
        raise Malformed(
            f"has a node {node.label[:40]!r} of {len(node.children):,} children; trees are binary here: give each"
            " node two children, or one word (binarise the trees and collapse nodes of one child)"
        )
    return Node(node.label, None, *node.children)
