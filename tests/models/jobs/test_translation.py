"""Jobs on pairs of texts: trained, evaluated, inferred, cross-validated, diagnosed and optimised as any other data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data import DataSet
from models.errors import JobError
from models.inference import Session
from models.run import JobContext, Outcome, run
from models.training.plan import Plan
from shapes.tokens import Tokenizer
from tests.models.running import context_of, file, ingested, of_version

LETTERS = "abcdefg"
PAIRS = [(f"{a}{b}{c}", f"{c} {b} {a}") for a in LETTERS for b in LETTERS for c in LETTERS]
REQUEST: dict[str, Any] = {
    "architecture": "seq2seq",
    "hyperparameters": {"embedding_dim": 8, "hidden_dim": 24, "max_written": 12},
    "training": {
        "epochs": 14,
        "batch_size": 16,
        "optimizer": {"name": "adam", "learning_rate": 0.02},
        "gradient_clip": 1.0,
    },
}


def changed(**hyperparameters: Any) -> dict[str, Any]:
    return {**REQUEST, "hyperparameters": {**REQUEST["hyperparameters"], **hyperparameters}}


def of_pairs(directory: Path, pairs: list[tuple[str, str]]) -> Path:
    return ingested(directory, "\n".join(map("\t".join, pairs)), format="pairs")


@pytest.fixture(scope="module")
def reversals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """343 words of three letters and what they are from back to front, with blanks."""
    return of_pairs(tmp_path_factory.mktemp("pairs"), PAIRS)


@pytest.fixture(scope="module")
def trained(reversals: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=reversals)
    return context, run(context)


def test_a_network_learns_to_write_and_its_record_says_how_it_is_read(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    version = outcome.version
    assert version is not None
    test = version["metrics"]["test"]
    assert test["exact_match"] >= 0.9
    assert 1 <= test["perplexity"] < 1.5
    assert test["token_accuracy"] > 0.95
    assert version["metrics"]["baseline"]["exact_match"] <= 0.1
    assert set(version["graphs"]) == {"model", "encoder", "decoder"}
    assert version["parity"]["lengths"][:4] == [1, 2, 7, 33]
    output = version["signature"]["output"]
    reading, writing = (Tokenizer.of(each["tokenizer"]) for each in (version["signature"]["input"], output))
    assert writing.marked
    assert not reading.marked
    tokens, score = Session(file(outcome, "model.onnx"), 1).run(np.array([reading.encode("bcd")]))
    assert writing.text(tokens[0].tolist()) == "d c b"
    assert -0.5 < score[0] <= 0


def test_the_tokenisers_have_seen_no_row_that_is_held_out(reversals: Path) -> None:
    request = {**changed(unit="words"), "training": {"split": {"validation": 0.3, "test": 0.3}}}
    plan = Plan.of(request, DataSet.open(reversals))
    source, rows = DataSet.open(reversals).rows(plan.settings.split)["train"]
    reading, writing = plan.dataset.tokenizer, plan.dataset.target_tokenizer
    assert reading is not None
    assert writing is not None
    assert set(reading.vocabulary) == set(DataSet.open(reversals).texts(source, rows))
    assert set(writing.vocabulary) == {f" {letter}" for letter in LETTERS}


def test_the_version_is_evaluated_as_it_was_scored(
    reversals: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    request = {"split": "test", "hardest": 3, "reference": "pairs"}
    given = of_version(outcome)
    evaluated = run(context_of(tmp_path, "evaluate", request, dataset=reversals, reference=reversals, **given))
    assert outcome.version is not None
    assert evaluated.result["metrics"]["exact_match"] == outcome.version["metrics"]["test"]["exact_match"]
    assert {"length", "characters"} <= {column["name"] for column in evaluated.result["drift"]["columns"]}
    hardest = evaluated.result["hardest"]
    assert [set(row) >= {"true", "predicted", "loss"} for row in hardest] == [True] * 3
    report = json.loads(file(evaluated, "report.json").read_text())
    assert sum(group["rows"] for group in report["curves"]["by_length"]) == evaluated.result["rows"]


@pytest.mark.parametrize("output_format", ["jsonl", "csv"])
def test_a_text_is_written_for_every_row(
    reversals: Path, trained: tuple[JobContext, Outcome], tmp_path: Path, output_format: str
) -> None:
    request = {"output_format": output_format}
    inferred = run(context_of(tmp_path, "infer", request, dataset=reversals, **of_version(trained[1])))
    lines = file(inferred, f"predictions.{output_format}").read_text().splitlines()
    texts = (
        [json.loads(line)["text"] for line in lines]
        if output_format == "jsonl"
        else [line.split(",")[2] for line in lines[1:]]
    )
    assert len(texts) == len(PAIRS)
    assert np.mean([text == target for text, (_, target) in zip(texts, PAIRS, strict=True)]) >= 0.9


def test_folds_have_tokenisers_of_their_own_and_are_scored_by_texts(reversals: Path, tmp_path: Path) -> None:
    request = {**REQUEST, "training": {**REQUEST["training"], "epochs": 2}, "folds": 2}
    validated = run(context_of(tmp_path, "cross_validate", request, dataset=reversals))
    assert 0 <= validated.result["metrics"]["exact_match"]["mean"] <= 1
    lines = file(validated, "predictions.csv").read_text().splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == [target for _, target in PAIRS]


def test_a_version_is_optimised(reversals: Path, trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    request = {"variants": ["optimized", "fp16"]}
    optimised = run(context_of(tmp_path, "optimize", request, dataset=reversals, **of_version(trained[1])))
    optimized, half = optimised.result["variants"]
    assert optimized["accepted"]
    assert optimized["report"]["metrics"]["loss"] == 0
    assert "control flow" in half["reason"]


def test_a_network_that_writes_is_diagnosed(reversals: Path, tmp_path: Path) -> None:
    checks = ["data", "initial_loss", "overfit_batch", "activations", "label_noise"]
    diagnosed = run(context_of(tmp_path, "diagnose", {**REQUEST, "checks": checks}, dataset=reversals))
    verdicts = {check["check"]: check["verdict"] for check in diagnosed.result["checks"]}
    assert verdicts["data"] == verdicts["initial_loss"] == verdicts["overfit_batch"] == "good"
    assert verdicts["label_noise"] == "not_applicable"


def test_scheduled_sampling_and_subwords_train_too(reversals: Path, tmp_path: Path) -> None:
    request = changed(
        unit="subwords", vocabulary=20, teacher_forcing="linear", teacher_forcing_least=0.2, teacher_forcing_half=20
    )
    outcome = run(context_of(tmp_path, "train", request, dataset=reversals))
    assert outcome.version is not None
    assert outcome.version["metrics"]["test"]["exact_match"] >= 0.5


def test_guessing_copies_where_that_is_more_often_right(tmp_path: Path) -> None:
    frequent = of_pairs(tmp_path / "frequent", [(f"w{k} x{k}", "no" if k % 5 else f"w{k} x{k}") for k in range(60)])
    rare = of_pairs(tmp_path / "rare", [(f"w{k} x{k}", f"w{k} x{k}" if k % 5 else f"n{k}") for k in range(60)])
    request = {**REQUEST, "training": {**REQUEST["training"], "epochs": 1}}
    guesses = {}
    for name, dataset in (("frequent", frequent), ("rare", rare)):
        outcome = run(context_of(tmp_path / name, "train", request, dataset=dataset))
        assert outcome.version is not None
        guesses[name] = outcome.version["metrics"]["baseline"]["exact_match"]
    assert guesses["frequent"] > 0.5
    assert guesses["rare"] > 0.5


def test_what_cannot_be_learned_is_refused(tmp_path: Path, reversals: Path) -> None:
    alike = of_pairs(tmp_path / "alike", [(f"w{k}", "yes") for k in range(20)])
    with pytest.raises(JobError, match="the same target"):
        Plan.of(REQUEST, DataSet.open(alike))
    with pytest.raises(JobError, match="training targets have more than 4 characters: raise"):
        Plan.of(changed(max_written=4), DataSet.open(reversals))
    with pytest.raises(JobError, match="vocabulary: 3 subwords are fewer"):
        Plan.of(changed(unit="subwords", vocabulary=3), DataSet.open(reversals))
