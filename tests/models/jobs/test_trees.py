"""Jobs on trees: trained on the labels of all nodes and judged at the root, and all that is done with other data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data import DataSet
from models.errors import Mismatch
from models.run import JobContext, Outcome, run
from shapes.tokens import Tokenizer
from tests.models.running import builtin, context_of, file, ingested, of_version

REQUEST: dict[str, Any] = {
    "architecture": "recursive",
    "hyperparameters": {"hidden_dim": 8},
    "training": {"epochs": 15, "batch_size": 16, "optimizer": {"name": "adam", "learning_rate": 0.03}},
}


def expression(random: np.random.Generator, leaves: int) -> tuple[str, bool]:
    """A tree of T and F, whose inner nodes are `both`: no sequence of the words tells its value."""
    if leaves == 1:
        value = bool(random.integers(2))
        return f"({int(value)} {'T' if value else 'F'})", value
    left = int(random.integers(1, leaves))
    (first, a), (second, b) = expression(random, left), expression(random, leaves - left)
    value = not (a and b)
    return f"({int(value)} {first} {second})", value


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(0)
    upload = "\n".join(expression(random, int(random.integers(1, 9)))[0] for _ in range(200))
    return ingested(tmp_path_factory.mktemp("trees"), upload, format="trees")


@pytest.fixture(scope="module")
def trained(trees: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=trees)
    return context, run(context)


def test_what_only_the_form_of_a_tree_tells_is_learned(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    assert outcome.version is not None
    assert outcome.version["metrics"]["test"]["accuracy"] > 0.95
    assert outcome.version["metrics"]["baseline"]["accuracy"] < 0.8
    signature = outcome.version["signature"]
    assert (signature["modality"], signature["input"]["shape"], signature["output"]["shape"]) == (
        "tree",
        [None, 4],
        [2],
    )
    tokenizer = Tokenizer.of(signature["input"]["tokenizer"])
    assert sorted(tokenizer.vocabulary) == ["F", "T"]
    assert outcome.version["parity"]["lengths"][:4] == [1, 2, 7, 33]


def test_the_version_is_evaluated_as_it_was_scored(
    trees: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    request = {"model": "m", "dataset": "trees", "split": "test"}
    evaluated = run(context_of(tmp_path, "evaluate", request, dataset=trees, reference=trees, **of_version(outcome)))
    assert outcome.version is not None
    assert evaluated.result["metrics"].items() >= outcome.version["metrics"]["test"].items()


def test_every_tree_is_answered(trees: Path, trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    _, outcome = trained
    inferred = run(
        context_of(tmp_path, "infer", {"model": "m", "dataset": "trees"}, dataset=trees, **of_version(outcome))
    )
    lines = [json.loads(line) for line in file(inferred, "predictions.jsonl").read_text().splitlines()]
    roots = [text[1] for text in DataSet.open(trees).texts("train")]
    assert np.mean([line["label"] == root for line, root in zip(lines, roots, strict=True)]) > 0.95


def test_trees_are_cross_validated(trees: Path, tmp_path: Path) -> None:
    training = {**REQUEST["training"], "epochs": 2}
    request = {**REQUEST, "training": training, "dataset": "trees", "method": "stratified_k_fold", "folds": 2}
    assert "accuracy" in run(context_of(tmp_path, "cross_validate", request, dataset=trees)).result["metrics"]


def test_labels_of_nodes_are_no_part_of_what_is_asked(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    assert outcome.version is not None
    tokenizer = Tokenizer.of(outcome.version["signature"]["input"]["tokenizer"])
    assert tokenizer.encode("(1 (0 F) (1 T))") == tokenizer.encode("(x (y F) (z T))")


def test_tables_are_not_for_it(trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    _, outcome = trained
    iris = builtin(tmp_path, "iris")
    request = {"model": "m", "dataset": "iris", "split": "test"}
    with pytest.raises(Mismatch, match="takes tree"):
        run(context_of(tmp_path / "e", "evaluate", request, dataset=iris, **of_version(outcome)))


@pytest.mark.slow
def test_boolean_expressions_are_computed(tmp_path: Path) -> None:
    """The built-in set: `not both` of up to 16 leaves, whose words are the same at every leaf."""
    booleans = builtin(tmp_path, "booleans")
    outcome = run(context_of(tmp_path / "t", "train", REQUEST, dataset=booleans))
    assert outcome.version is not None
    assert outcome.version["metrics"]["test"]["accuracy"] > 0.99
