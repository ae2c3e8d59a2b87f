"""Jobs on tagged words: trained, evaluated, inferred, cross-validated and searched as any other data."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.data import DataSet
from models.errors import Mismatch
from models.evaluation.tagging import TaggingEvaluator
from models.run import JobContext, Outcome, run
from models.training.plan import Plan
from shapes.tokens import PADDING, Tokenizer
from tests.models.running import Recorder, context_of, file, ingested, of_version, zipped

SYLLABLES = ["ba", "do", "ki", "lu", "me", "no"]
SENTENCES = 160


def sentence(random: np.random.Generator) -> list[tuple[str, str]]:
    """Words of which the capital ones are a person's names, and what stands behind `in` is a place."""
    tokens: list[tuple[str, str]] = []
    for _ in range(random.integers(1, 5)):
        word = "".join(random.choice(SYLLABLES, random.integers(1, 4)))
        kind = random.integers(4)
        if kind == 0:
            tokens += [(word.capitalize(), "B-person"), (word.capitalize(), "I-person"), (".", "O")]
        elif kind == 1:
            tokens += [("in", "O"), (word, "B-place")]
        else:
            tokens.append((word, "O"))
    return tokens


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(0)
    sentences = ["\n".join("\t".join(token) for token in sentence(random)) for _ in range(SENTENCES)]
    return ingested(tmp_path_factory.mktemp("tagged"), "\n\n".join(sentences), format="conll")


REQUEST: dict[str, Any] = {
    "architecture": "lstm",
    "hyperparameters": {"embedding_dim": 8, "hidden_dim": 16, "bidirectional": True, "spelling": 6},
    "training": {"epochs": 12, "batch_size": 16, "optimizer": {"name": "adam", "learning_rate": 0.02}},
}


@pytest.fixture(scope="module")
def trained(tagged: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=tagged)
    return context, run(context)


def test_entities_are_found_that_words_alone_do_not_tell(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    assert outcome.version is not None
    metrics, signature = outcome.version["metrics"], outcome.version["signature"]
    assert metrics["test"]["entity_f1"] > 0.9 > metrics["baseline"]["entity_f1"]
    assert metrics["test"]["token_accuracy"] > metrics["baseline"]["token_accuracy"] > 0.5
    assert signature["input"]["shape"] == [None, 7]
    assert signature["output"]["shape"] == [None, 4]
    assert outcome.version["parity"]["lengths"][:4] == [1, 2, 7, 33]


def test_every_epoch_has_the_f1_of_entities_by_which_the_best_can_be_chosen(tagged: Path, tmp_path: Path) -> None:
    stopping = {"metric": "val_entity_f1", "patience": 20}
    request = {**REQUEST, "training": {**REQUEST["training"], "early_stopping": stopping}}
    recorder = Recorder()
    outcome = run(context_of(tmp_path, "train", request, report=recorder, dataset=tagged))
    assert outcome.version is not None
    measured = outcome.version["metrics"]["validation"]
    for metric in ("entity_f1", "token_accuracy"):
        each = [value for _, value in recorder.series[f"val_{metric}"]]
        assert each[outcome.result["best_epoch"] - 1] == pytest.approx(measured[metric])
    each = [value for _, value in recorder.series["val_entity_f1"]]
    assert outcome.result["best_epoch"] == each.index(max(each)) + 1


def test_words_are_taken_as_they_are_and_none_is_known_of_those_held_out(tagged: Path) -> None:
    dataset = DataSet.open(tagged)
    plan = Plan.of({**REQUEST, "hyperparameters": {"unit": "words"}}, dataset)
    tokenizer = plan.dataset.tokenizer
    assert tokenizer is not None
    source, rows = dataset.rows(plan.settings.split)["train"]
    seen = {word for text in dataset.texts(source, rows) for word in text.split("\n")}
    assert set(tokenizer.vocabulary) == seen
    for examples in plan.splits.values():
        batch = examples.gather(torch.arange(len(examples)))
        assert ((batch.inputs != PADDING) == (batch.targets >= 0)).all()


def test_the_version_is_evaluated_as_it_was_scored(
    tagged: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    request = {"model": "m", "dataset": "tagged", "split": "test", "hardest": 5}
    context = context_of(tmp_path, "evaluate", request, dataset=tagged, reference=tagged, **of_version(outcome))
    evaluated = run(context)
    assert outcome.version is not None
    assert evaluated.result["metrics"] == outcome.version["metrics"]["test"]
    hardest = json.loads(file(evaluated, "report.json").read_text())["hardest"]
    assert len(hardest) == 5
    assert len(hardest[0]["true"].split()) == len(hardest[0]["predicted"].split())


def test_another_order_of_the_classes_is_put_right() -> None:
    evaluator = TaggingEvaluator(["O", "B-x"], num_inputs=1)
    answers = np.array([[[0, 0.9], [1, 0.8], [-1, -1]]], np.float32)
    fitted = evaluator.fitted(answers, ["B-x", "O"], np.array([[1, 0, 1, -1]]))
    assert fitted[0, :, 0].tolist() == [1, 0, -1, -1]
    assert evaluator.losses(np.array([[1, 1, 1, -1]]), fitted).tolist() == [pytest.approx(2 / 3)]


def test_every_token_is_answered(tagged: Path, trained: tuple[JobContext, Outcome], tmp_path: Path) -> None:
    _, outcome = trained
    request = {"model": "m", "dataset": "tagged"}
    inferred = run(context_of(tmp_path, "infer", request, dataset=tagged, **of_version(outcome)))
    lines = [json.loads(line) for line in file(inferred, "predictions.jsonl").read_text().splitlines()]
    texts = list(DataSet.open(tagged).texts("train"))
    assert len(lines) == len(texts) == SENTENCES
    for line, text in zip(lines, texts, strict=True):
        assert len(line["tags"].split()) == len(line["probabilities"].split()) == len(text.split("\n"))


def test_tags_are_cross_validated(tagged: Path, tmp_path: Path) -> None:
    training = {**REQUEST["training"], "epochs": 2}
    request = {**REQUEST, "training": training, "dataset": "tagged", "method": "k_fold", "folds": 2}
    validated = run(context_of(tmp_path, "cross_validate", request, dataset=tagged))
    assert {"token_accuracy", "entity_f1"} <= validated.result["metrics"].keys()
    header, first = file(validated, "predictions.csv").read_text().splitlines()[:2]
    assert header == "row,fold,target,prediction,probabilities"
    assert first.startswith("0,")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = zipped({f"{kind}/{number}.txt": f"{kind} ba do" for kind in ("good", "bad") for number in range(10)})
    return ingested(tmp_path_factory.mktemp("texts"), files, format="text-classes")


@pytest.mark.parametrize("kind", ["infer", "evaluate"])
def test_texts_of_classes_are_not_for_it(
    texts: Path, trained: tuple[JobContext, Outcome], tmp_path: Path, kind: str
) -> None:
    _, outcome = trained
    with pytest.raises(Mismatch, match="conll"):
        run(context_of(tmp_path, kind, {"model": "m", "dataset": "texts"}, dataset=texts, **of_version(outcome)))


def test_tagged_words_are_not_for_what_reads_whole_texts(tagged: Path, texts: Path) -> None:
    tokenizer = Tokenizer.fit(DataSet.open(texts).texts("train"), "words", size=10, max_length=8)
    signature = {"modality": "text", "input": {"tokenizer": tokenizer.as_json()}}
    assert DataSet.open(texts).as_taken(signature).tokenizer == tokenizer
    with pytest.raises(Mismatch, match="text-classes"):
        DataSet.open(tagged).as_taken(signature)


def test_tagged_words_are_not_written(tagged: Path) -> None:
    with pytest.raises(Mismatch, match="text_generation"):
        Plan.of({**REQUEST, "task": "text_generation"}, DataSet.open(tagged))


def test_a_word_not_seen_is_read_by_its_letters(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    assert outcome.version is not None
    tokenizer = Tokenizer.of(outcome.version["signature"]["input"]["tokenizer"])
    unknown, known = tokenizer.encode("Zaboki\nba")
    assert unknown[0] == 1
    assert unknown[2:] == [tokenizer.encode(letter)[0][1] for letter in "aboki"]
    assert known[3:] == [PADDING] * 4
