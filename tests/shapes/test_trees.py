"""Trees in brackets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shapes.trees import MAX_DEPTH, Malformed, Node, parse

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="() \t\n\r\f\v"), min_size=1)
TREES = st.recursive(
    st.builds("({} {})".format, WORDS, WORDS), lambda trees: st.builds("({} {} {})".format, WORDS, trees, trees)
)


def written(nodes: list[Node], place: int = -1) -> str:
    node = nodes[place]
    if node.word is not None:
        return f"({node.label} {node.word})"
    return f"({node.label} {written(nodes, node.left)} {written(nodes, node.right)})"


def test_children_come_before_their_parents() -> None:
    assert parse("(3 (2 It) (4 (2 's) (4 good)))") == [
        Node("2", "It"),
        Node("2", "'s"),
        Node("4", "good"),
        Node("4", None, 1, 2, height=1),
        Node("3", None, 0, 3, height=2),
    ]


@settings(deadline=None)
@given(TREES)
def test_a_tree_is_what_was_written(tree: str) -> None:
    assert written(parse(tree)) == tree


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "is empty"),
        ("word", "does not begin with a bracket"),
        ("(1 (0 a)", "never closed; check it (character 1)"),
        ("(1 a))", "a line (character 6)"),
        ("(1 a) (0 b)", "more behind"),
        ("()", "without a label"),
        ("(1)", "0 children"),
        ("(1 (0 a))", "1 children"),
        ("(1 (0 a) (2 b c))", "'c' beside another word or a tree; write each word as (label word) (character 15)"),
        ("(1 (0 a) (0 b) (0 c))", "3 children"),
        ("(1 a b)", "beside another word"),
        ("(1 a (0 b))", "'1' of 1 children"),
        ("(1 (0 b) a)", "beside"),
        ("((1 a) (0 b))", "without a label"),
    ],
)
def test_what_is_no_binary_tree_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(Malformed) as raised:
        parse(text)
    assert word in str(raised.value)


def test_depth_is_bounded_and_costs_no_stack() -> None:
    def left_deep(depth: int) -> str:
        return "(1 " * (depth - 1) + "(1 a)" + " (1 b))" * (depth - 1)

    assert len(parse(left_deep(MAX_DEPTH))) == 2 * MAX_DEPTH - 1
    for text in (left_deep(MAX_DEPTH + 1), "(" * 100_000, "(1 " * 100_000):
        with pytest.raises(Malformed, match="nests more than"):
            parse(text)
