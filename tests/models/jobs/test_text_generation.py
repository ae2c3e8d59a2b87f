"""Jobs that learn to write texts: trained, evaluated and inferred; a class is told to a network that knows classes."""

import json
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.data import DataSet
from models.errors import JobError
from models.inference import Session
from models.run import JobContext, Outcome, run
from models.training.plan import Plan
from shapes.tokens import END, Tokenizer
from tests.models.running import Recorder, context_of, file, ingested, zipped

SYLLABLES = {"greek": ("αβ", "γδε"), "latin": ("abc", "de")}


def texts(name: str, count: int) -> list[str]:
    random = np.random.default_rng(len(name))
    return ["".join(random.choice(SYLLABLES[name], random.integers(1, 5))) for _ in range(count)]


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 words of two languages with two syllables each, ingested."""
    upload = zipped({f"{name}.txt": "\n".join(texts(name, 80)) for name in SYLLABLES})
    return ingested(tmp_path_factory.mktemp("words"), upload, format="auto")


REQUEST: dict[str, Any] = {
    "architecture": "gru",
    "task": "text_generation",
    "hyperparameters": {"embedding_dim": 8, "hidden_dim": 24},
    "training": {"epochs": 40, "batch_size": 16, "optimizer": {"name": "adam", "learning_rate": 0.02}},
}


@pytest.fixture(scope="module")
def trained(words: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[JobContext, Outcome]:
    context = context_of(tmp_path_factory.mktemp("trained"), "train", REQUEST, dataset=words)
    return context, run(context)


def version_of(outcome: Outcome) -> dict[str, Any]:
    assert outcome.version is not None
    return outcome.version


def test_it_learns_to_write_words_of_the_class_that_it_is_told(trained: tuple[JobContext, Outcome]) -> None:
    version = version_of(trained[1])
    metrics = version["metrics"]
    # Of a syllable the first letter is a coin's throw, as is whether a word of one to four goes on.
    assert metrics["test"]["perplexity"] < 0.4 * metrics["baseline"]["perplexity"]
    assert metrics["test"]["token_probability"] == pytest.approx(1 / metrics["test"]["perplexity"])
    assert metrics["test"]["bits_per_token"] == pytest.approx(np.log2(metrics["test"]["perplexity"]))
    assert version["generative"] == {"conditional": True, "classes": ["greek", "latin"], "calls": ["generate"]}
    drawn = metrics["generation"]
    assert 0 < drawn["copied"] <= 1
    for text in drawn["texts"]:
        known = "".join(SYLLABLES[text["label"]])
        assert set(text["text"]) <= set(known)


def test_its_graphs_agree_with_torch_at_all_lengths(trained: tuple[JobContext, Outcome]) -> None:
    graphs = version_of(trained[1])["graphs"]
    assert set(graphs) == {"model", "decoder"}
    assert graphs["model"]["parity"]["lengths"][:4] == [1, 2, 7, 33]
    assert [each["name"] for each in graphs["decoder"]["outputs"]] == ["log_probabilities", "next_state"]


def test_the_decoder_says_step_by_step_what_the_model_says_of_the_whole(trained: tuple[JobContext, Outcome]) -> None:
    _, outcome = trained
    version = version_of(outcome)
    tokenizer = Tokenizer.of(version["signature"]["input"]["tokenizer"])
    model, decoder = (Session(file(outcome, f"{name}.onnx"), 1) for name in ("model", "decoder"))
    for label, text in ((0, "αβγδε"), (1, "abc"), (1, "αβ")):
        tokens = tokenizer.encode(text)
        assert tokens[-1] == END
        whole, count = model.run((np.array([tokens]), np.array([label])))
        state = np.zeros((1, 24), np.float32)
        total, previous = 0.0, tokenizer.begin(label)
        for token in tokens:
            logs, state = decoder.run((np.array([previous]), state))
            total, previous = total + logs[0, token], token
        assert total == pytest.approx(float(whole[0]), abs=1e-3)
        assert count[0] == len(tokens)
    right, wrong = (model.run((np.array([tokenizer.encode("αβαβ")]), np.array([label])))[0][0] for label in (0, 1))
    assert right > wrong + 5


def test_the_version_is_evaluated_as_it_was_scored_and_every_text_answered(
    words: Path, trained: tuple[JobContext, Outcome], tmp_path: Path
) -> None:
    _, outcome = trained
    given: dict[str, Any] = {"model": file(outcome, "model.onnx"), "version": outcome.version, "dataset": words}
    request = {"split": "test", "hardest": 3, "against": None, "reference": "words"}
    evaluated = run(context_of(tmp_path / "evaluate", "evaluate", request, reference=words, **given))
    scored = version_of(outcome)["metrics"]["test"]
    assert evaluated.result["metrics"]["perplexity"] == pytest.approx(scored["perplexity"])
    assert len(evaluated.result["hardest"]) == 3
    inferred = run(context_of(tmp_path / "infer", "infer", {"output_format": "jsonl"}, **given))
    lines = [json.loads(line) for line in file(inferred, "predictions.jsonl").read_text().splitlines()]
    assert len(lines) == 160
    assert all(0 < exp(line["log_probability"]) <= 1 and line["tokens"] > 1 for line in lines)


def test_without_classes_it_is_what_a_recurrent_network_learns(words: Path, tmp_path: Path) -> None:
    upload = zipped({"words.txt": "\n".join(texts("latin", 60))})
    dataset = ingested(tmp_path / "ingest", upload, format="auto", options={"target": ""})
    short = {"architecture": "rnn", "hyperparameters": {"hidden_dim": 8}, "training": {"epochs": 1}}
    outcome = run(context_of(tmp_path / "train", "train", short, dataset=dataset))
    version = version_of(outcome)
    assert version["task"] == "text_generation"
    assert version["generative"] == {"conditional": False, "classes": None, "calls": ["predict", "generate"]}
    told = {**REQUEST, "hyperparameters": {"conditional": False}}
    assert Plan.of(told, DataSet.open(words)).task.labels is None


def test_what_is_cut_has_no_end_and_the_log_says_how_many_are(words: Path, tmp_path: Path) -> None:
    request = {
        **REQUEST,
        "hyperparameters": {"hidden_dim": 8, "max_length": 4},
        "training": {"epochs": 1, "split": {"validation": 0, "test": 0.1}},
    }
    dataset, recorder = DataSet.open(words), Recorder()
    plan = Plan.of(request, dataset)
    texts = list(dataset.texts("train", plan.splits["train"].rows))
    tokens = next(plan.splits["train"].batches(len(texts))).inputs
    assert (tokens == END).any(dim=1).tolist() == [len(text) <= 4 for text in texts]
    run(context_of(tmp_path, "train", request, dataset=words, report=recorder))
    num_cut = sum(len(text) > 4 for text in texts)
    assert any(
        line.startswith(f"warning: {num_cut} of {len(texts)} training texts have more") for line in recorder.lines
    )


@pytest.mark.parametrize(
    ("changed", "code", "said"),
    [
        ({"hyperparameters": {"bidirectional": True}}, "unsuitable_hyperparameter", "bidirectional"),
        ({"task": "regression"}, "dataset_mismatch", "classification or text_generation"),
        ({"training": {"label_noise": 0.1}}, "unsuitable_label_noise", "label_noise"),
        ({"training": {"loss": {"name": "mse"}}}, "unsuitable_loss", "cross_entropy"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_it_begins(
    words: Path, changed: dict[str, Any], code: str, said: str
) -> None:
    with pytest.raises(JobError, match=said) as caught:
        Plan.of({**REQUEST, **changed}, DataSet.open(words))
    assert caught.value.code == code
