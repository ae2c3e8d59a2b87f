"""Jobs on text: trained, evaluated, inferred and cross-validated as any other data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data import DataSet
from models.errors import JobError, Mismatch
from models.inference import Session
from models.run import Candidate, JobContext, Outcome, run
from models.training.plan import Plan
from models.training.training import Training
from shapes.tokens import Tokenizer
from tests.models.running import Recorder, builtin, context_of, file, ingested, of_version, zipped

WORDS = {"greek": "αβγδεζηθ", "latin": "abcdefgh", "digit": "01234567"}


def texts(name: str, count: int) -> list[str]:
    random = np.random.default_rng(len(name))
    return ["".join(random.choice(list(WORDS[name]), random.integers(1, 12))) for _ in range(count)]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 words in three scripts, ingested."""
    upload = zipped({f"{name}.txt": "\n".join(texts(name, 40)) for name in WORDS})
    return ingested(tmp_path_factory.mktemp("words"), upload, format="auto")


REQUEST: dict[str, Any] = {
    "architecture": "gru",
    "hyperparameters": {"embedding_dim": 8, "hidden_dim": 16, "bidirectional": True},
    "training": {
        "epochs": 8,
        "batch_size": 16,
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "gradient_clip": 1.0,
        "gradient_norm": True,
    },
}


@pytest.fixture(scope="module")
def trained(words: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=words)
    return context, run(context)


def test_a_text_model_learns_and_says_how_texts_become_tokens(trained: tuple[JobContext, Outcome]) -> None:
    context, outcome = trained
    assert outcome.version is not None
    assert outcome.version["metrics"]["test"]["accuracy"] >= 0.9
    described = outcome.version["signature"]["input"]
    assert (described["name"], described["dtype"], described["shape"]) == ("tokens", "int64", [None])
    assert outcome.version["parity"]["lengths"][:4] == [1, 2, 7, 33]
    assert outcome.version["signature"]["labels"] == ["digit", "greek", "latin"]
    session = Session(file(outcome, "model.onnx"), 1)
    tokenizer = Tokenizer.of(described["tokenizer"])
    answers = [session.run(np.array([tokenizer.encode(text)]))[0].argmax() for text in ("0123", "αβγδ", "abcd")]
    assert answers == [0, 1, 2]
    assert isinstance(context.report, Recorder)
    norms = [value for _, value in context.report.series["train_gradient_norm"]]
    assert norms
    assert all(value > 0 for value in norms)


def test_the_tokeniser_has_seen_no_row_that_is_held_out(words: Path) -> None:
    plan = Plan.of({**REQUEST, "training": {"split": {"validation": 0.3, "test": 0.3}}}, DataSet.open(words))
    assert plan.dataset.tokenizer is not None
    source, rows = DataSet.open(words).rows(plan.settings.split)["train"]
    seen = set("".join(DataSet.open(words).texts(source, rows)))
    assert set(plan.dataset.tokenizer.vocabulary) == seen


def test_the_version_is_evaluated_as_it_was_scored(
    words: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    request = {"split": "test", "hardest": 3, "against": None, "reference": "words"}
    evaluated = run(context_of(tmp_path, "evaluate", request, dataset=words, reference=words, **of_version(outcome)))
    assert outcome.version is not None
    scored = outcome.version["metrics"]["test"]
    assert evaluated.result["metrics"]["accuracy"] == pytest.approx(scored["accuracy"])
    assert {column["name"] for column in evaluated.result["drift"]["columns"]} >= {"length", "unknown"}
    assert len(evaluated.result["hardest"]) == 3


def test_every_text_is_answered(words: Path, trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    _, outcome = trained
    request = {"output_format": "jsonl"}
    inferred = run(context_of(tmp_path, "infer", request, dataset=words, **of_version(outcome)))
    lines = [json.loads(line) for line in file(inferred, "predictions.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(120))
    dataset = DataSet.open(words)
    targets, labels = dataset.targets("train"), dataset.labels or []
    assert targets is not None
    right = [line["label"] == labels[target] for line, target in zip(lines, targets, strict=True)]
    assert np.mean(right) >= 0.9


@pytest.fixture(scope="module")
def of_subwords(words: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    request = {**REQUEST, "hyperparameters": {**REQUEST["hyperparameters"], "unit": "subwords", "vocabulary": 60}}
    return run(context_of(tmp_path_factory.mktemp("subwords"), "train", request, dataset=words))


def test_texts_are_read_by_subwords_too(of_subwords: Outcome) -> None:
    outcome = of_subwords
    assert outcome.version is not None
    assert outcome.version["metrics"]["test"]["accuracy"] >= 0.8
    tokenizer = Tokenizer.of(outcome.version["signature"]["input"]["tokenizer"])
    assert any(len(piece) > 2 for piece in tokenizer.vocabulary)
    assert len(tokenizer.encode("0123")) <= len("0123") + 1


def test_versions_that_are_compared_read_the_texts_each_in_its_own_way(
    words: Path, trained: tuple[JobContext, Outcome], of_subwords: Outcome, tmp_path: Path
) -> None:
    request: dict[str, Any] = {"model": "m", "version": 1, "split": "test", "hardest": 0, "reference": None}
    request["against"] = {"model": "m", "version": 2}
    first, second = of_version(trained[1]), of_version(of_subwords)
    others = (Candidate(second["model"], second["version"]),)
    both = run(context_of(tmp_path / "both", "evaluate", request, dataset=words, others=others, **first))
    alone = {**request, "against": None}
    expected = run(context_of(tmp_path / "alone", "evaluate", alone, dataset=words, **second)).result["metrics"]
    assert both.result["comparison"]["metrics"]["log_loss"]["second"] == pytest.approx(expected["log_loss"])


def test_text_is_cross_validated(words: Path, tmp_path: Path) -> None:
    request = {**REQUEST, "training": {**REQUEST["training"], "epochs": 3}, "folds": 3}
    outcome = run(context_of(tmp_path, "cross_validate", request, dataset=words))
    assert outcome.result["metrics"]["accuracy"]["mean"] > 0.5


def test_the_same_seed_ends_with_the_same_bits(words: Path, tmp_path: Path) -> None:
    plan = Plan.of({**REQUEST, "training": {**REQUEST["training"], "epochs": 2}}, DataSet.open(words))
    weights = []
    for name in ("first", "second"):
        training = Training.of(plan, Recorder(), tmp_path / name, 1e9)
        training.fit()
        weights.append(training.network.state_dict())
    assert all(bool((weights[0][key] == weights[1][key]).all()) for key in weights[0])


def test_other_data_cannot_be_given_to_it(trained: tuple[JobContext, Outcome], tmp_path: Path, words: Path) -> None:
    _, outcome = trained
    iris = builtin(tmp_path, "iris")
    with pytest.raises(Mismatch, match="takes text"):
        run(context_of(tmp_path / "infer", "infer", {"output_format": "csv"}, dataset=iris, **of_version(outcome)))
    for architecture in ("lenet", "mlp"):
        with pytest.raises(JobError):
            run(context_of(tmp_path / architecture, "train", {"architecture": architecture}, dataset=words))
