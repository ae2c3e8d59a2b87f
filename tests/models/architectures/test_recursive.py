"""`recursive`: every tree of a batch is composed as it would be alone, in torch and in the exported graph."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from models import registry
from models.data import DataSet
from models.examples import Batch, Examples
from models.export import PARITY_BATCH_SIZES, PARITY_LENGTHS, export, parity
from models.graphs import Graph, served
from models.inference import Session
from models.losses import CrossEntropy
from models.ragged import Ragged
from models.tasks.classification import Classification
from models.treebank import forest, node_classes
from shapes.tokens import PADDING, Tokenizer

COMPOSITIONS = ("rnn", "tensor", "lstm")
NUM_TOKENS = 9
HIDDEN = 5
compositions = pytest.mark.parametrize("composition", COMPOSITIONS)
WORDS = st.integers(1, NUM_TOKENS - 1).map("(0 {})".format)
TREES = st.recursive(WORDS, lambda trees: st.builds("(1 {} {})".format, trees, trees), max_leaves=12)
TOKENIZER = Tokenizer("tree", 0, tuple(map(str, range(2, NUM_TOKENS))))


def network(composition: str) -> Any:
    torch.manual_seed(0)
    config = registry.get("recursive").configure({"composition": composition, "hidden_dim": HIDDEN})
    return config.build((NUM_TOKENS,), 3).eval()


def nodes(trees: list[str], more: int = 0) -> Tensor:
    rows = Ragged.of([np.array(TOKENIZER.encode(tree)) for tree in trees], np.int64)
    return torch.from_numpy(rows.padded(int(rows.lengths.max()) + more, PADDING))


@compositions
@settings(deadline=None, max_examples=25)
@given(trees=st.lists(TREES, min_size=1, max_size=5), more=st.integers(0, 9))
def test_padding_and_other_trees_never_change_an_answer(composition: str, trees: list[str], more: int) -> None:
    built = network(composition)
    with torch.inference_mode():
        alone = [(built(nodes([tree])), built.transduce(nodes([tree]))) for tree in trees]
        roots, every = built(nodes(trees, more)), built.transduce(nodes(trees, more))
    torch.testing.assert_close(roots, torch.cat([root for root, _ in alone]), rtol=0, atol=1e-6)
    for together, (_, expected) in zip(every, alone, strict=True):
        torch.testing.assert_close(together[: expected.shape[1]], expected[0], rtol=0, atol=1e-6)


@compositions
def test_a_tree_is_composed_as_it_is_written(composition: str) -> None:
    """The equations, node by node."""
    built = network(composition)
    weights = dict(built.named_parameters())
    embedding = built.embedding.weight.detach()

    def leaf(word: int) -> tuple[Tensor, Tensor]:
        if composition != "lstm":
            return embedding[word], torch.zeros(HIDDEN)
        i, o, u = (weights["leaf.weight"] @ embedding[word] + weights["leaf.bias"]).chunk(3)
        c = i.sigmoid() * u.tanh()
        return o.sigmoid() * c.tanh(), c

    def parent(left: tuple[Tensor, Tensor], right: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        both = torch.cat([left[0], right[0]])
        if composition == "lstm":
            gates = weights["climb.composition.gates.weight"] @ both + weights["climb.composition.gates.bias"]
            i, f_l, f_r, o, u = gates.chunk(5)
            c = i.sigmoid() * u.tanh() + f_l.sigmoid() * left[1] + f_r.sigmoid() * right[1]
            return o.sigmoid() * c.tanh(), c
        z = weights["climb.composition.affine.weight"] @ both + weights["climb.composition.affine.bias"]
        if composition == "tensor":
            products = weights["climb.composition.products.weight"].view(HIDDEN, 2 * HIDDEN, 2 * HIDDEN)
            z = z + torch.stack([both @ v @ both for v in products])
        return z.tanh(), torch.zeros(HIDDEN)

    with torch.inference_mode():
        inner = parent(leaf(3), leaf(4))
        root, _ = parent(leaf(2), parent(inner, leaf(5)))
        found = built(nodes(["(1 (0 2) (0 (0 (0 3) (0 4)) (0 5)))"]))
        torch.testing.assert_close(found[0], weights["output.weight"] @ root + weights["output.bias"])


@compositions
def test_batch_depth_and_form_are_free_in_the_exported_graph(composition: str, tmp_path: Path) -> None:
    longest = 101
    examples = torch.from_numpy(forest(4, longest, np.arange(1, NUM_TOKENS)))
    described = {"name": "tokens", "dtype": "int64", "shape": [None, 4], "tokenizer": TOKENIZER.as_json()}
    answer = {"name": "probabilities", "dtype": "float32", "shape": [3]}
    module = served(network(composition), nn.Softmax(dim=1))
    graph = Graph(module, [described], [answer], (examples,), {"probabilities": 1e-5})
    export(graph, {}, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", threads=1)
    found = parity(graph, session)
    assert found["max_abs_difference"] <= 1e-5
    assert (found["batch_sizes"], found["lengths"]) == (list(PARITY_BATCH_SIZES), [*PARITY_LENGTHS, longest])
    trees = nodes(["(1 (0 2) (0 3))"])
    np.testing.assert_allclose(session.run(nodes(["(1 (0 2) (0 3))"], 30).numpy()), session.run(trees.numpy()))
    for tree in ("(0 2)", "(1 " * 999 + "(0 2)" + " (0 3))" * 999):  # no level at all, and the deepest tree
        with torch.inference_mode():
            np.testing.assert_allclose(session.run(nodes([tree]).numpy()), module(nodes([tree])), atol=1e-5)


def test_trees_to_prove_with_are_trees_of_many_forms() -> None:
    made = forest(7, 33, np.arange(1, NUM_TOKENS))
    assert made.shape == (7, 33, 4)
    sizes = (made != PADDING).any(axis=2).sum(axis=1)
    assert sizes[0] == 33
    assert (sizes % 2 == 1).all()
    assert sorted(sizes, reverse=True) == list(sizes)
    for tree, size in zip(made, sizes, strict=True):
        used = tree[tree[:, 3] > 0][:, 1:3] - 1
        assert sorted(used.flatten()) == list(range(size - 1))  # each node but the root is a child once
        for word, left, right, height in tree[:size]:
            below = tree[[left - 1, right - 1], 3] if height else [-1]
            assert height == 1 + max(below)
            assert (word == 0) == (height > 0)
    assert forest(2, 2, np.array([5])).tolist() == [[[5, 0, 0, 0], [0, 0, 0, 0]]] * 2


def test_training_learns_from_every_node_and_validation_from_the_root() -> None:
    trees = ["(1 (0 2) (2 3))", "(2 4)"]
    parts = node_classes(trees, ["0", "1", "2"])
    rows = Ragged.of([np.array(TOKENIZER.encode(tree)) for tree in trees], np.int64)
    examples = Examples(rows, np.array([1, 2]), np.arange(2), parts=parts)
    batch = examples.gather(torch.arange(2))
    assert batch.parts is not None
    assert batch.parts.tolist() == [[0, 2, 1], [2, -1, -1]]
    loss = CrossEntropy(name="cross_entropy")
    task = Classification(DataSet(Path(), {"classes": list("012")}), examples, loss)
    recursive = network("rnn")
    built = nn.Sequential(nn.Identity(), recursive)
    (phase,) = task.phases(built)
    logits = recursive.transduce(batch.inputs)
    every = torch.cat([logits[0], logits[1, :1]])
    expected = nn.functional.cross_entropy(every, torch.tensor([0, 2, 1, 2]))
    torch.testing.assert_close(phase.step(batch)["loss"], expected)
    roots = nn.functional.cross_entropy(torch.stack([logits[0, 2], logits[1, 0]]), torch.tensor([1, 2]))
    torch.testing.assert_close(task.validate(built, batch)["loss"], roots)
    without = Batch(batch.inputs, batch.targets)
    torch.testing.assert_close(phase.step(without)["loss"], roots)
