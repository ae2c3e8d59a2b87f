"""The exported graphs: they answer as torch does at all sizes, and padding never changes an answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from models import registry
from models.errors import ParityFailed
from models.examples import Batch
from models.export import PARITY_BATCH_SIZES, PARITY_LENGTHS, export, parity
from models.inference import Session
from models.preprocess import TokenPreprocess
from models.translation.graphs import Greedy, graphs_of
from shapes.tokens import BEGIN, END, NO_TARGET, Tokenizer

NUM_TOKENS, LONGEST = 11, 41
WRITING = Tokenizer("characters", 20, tuple("abcdefghi"), marked=True)
INPUT = {"name": "tokens", "dtype": "int64", "shape": [None]}
OUTPUT = {"name": "written", "dtype": "int64", "shape": [None], "tokenizer": WRITING.as_json()}
VARIANTS: list[dict[str, Any]] = [
    {"cell": "gru", "attention": "dot"},
    {"cell": "lstm", "attention": "additive", "num_layers": 2, "layer_norm": True, "dropout": 0.1},
    {"cell": "rnn", "attention": "none", "bidirectional": False},
    {"cell": "gru", "attention": "additive"},
]
variants = pytest.mark.parametrize("variant", VARIANTS, ids=["gru", "lstm", "rnn", "gru-additive"])
TOKENS = st.lists(st.lists(st.integers(1, NUM_TOKENS - 1), min_size=1, max_size=12), min_size=1, max_size=5)


def network(variant: dict[str, Any]) -> nn.Sequential:
    """Weights that make answers of different lengths and letters."""
    torch.manual_seed(0)
    sizes = {"embedding_dim": 5, "hidden_dim": 16, "max_written": 20}
    built = registry.get("seq2seq").configure({**sizes, **variant}).build((NUM_TOKENS,), WRITING.num_tokens)
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            parameter.mul_(5 if any(part in name for part in ("output", "embedding", "first")) else 2)
    return nn.Sequential(TokenPreprocess(NUM_TOKENS), built).eval()


def bias_of(built: nn.Sequential) -> Tensor:
    return built.get_parameter("1.decoder.output.bias")


def sessions(variant: dict[str, Any], directory: Path) -> dict[str, tuple[Any, Session]]:
    examples = torch.randint(1, NUM_TOKENS, (4, LONGEST), generator=torch.Generator().manual_seed(1))
    found = {}
    for name, graph in graphs_of(network(variant), INPUT, OUTPUT, Batch(examples, examples)).items():
        export(graph, {}, directory / f"{name}.onnx")
        found[name] = graph, Session(directory / f"{name}.onnx", threads=1)
    return found


def padded(rows: list[list[int]], more: int = 0) -> NDArray[np.int64]:
    width = max(map(len, rows)) + more
    return np.array([row + [0] * (width - len(row)) for row in rows])


@variants
def test_every_graph_answers_as_torch_at_all_batches_and_lengths(variant: dict[str, Any], tmp_path: Path) -> None:
    for graph, session in sessions(variant, tmp_path).values():
        found = parity(graph, session)
        assert (found["batch_sizes"], found["max_abs_difference"] <= 1e-4) == (list(PARITY_BATCH_SIZES), True)
        if graph.inputs[-1]["name"] == "tokens":
            assert found["lengths"] == [*PARITY_LENGTHS, LONGEST]


@variants
def test_step_by_step_the_same_is_written_as_in_one_run(variant: dict[str, Any], tmp_path: Path) -> None:
    graphs = sessions(variant, tmp_path)
    tokens = padded([[3, 4, 5, 6, 7, 8], [9, 2], [1]])
    expected, scores = graphs["model"][1].run(tokens)
    assert len({tuple(row) for row in expected.tolist()}) > 1
    (encoder, encode), (decoder, step) = graphs["encoder"], graphs["decoder"]
    outputs = encode.run(tokens)
    given = outputs if isinstance(outputs, tuple) else (outputs,)
    named = {each["name"]: array for each, array in zip(encoder.outputs, given, strict=True)}
    named |= {"tokens": tokens, "previous": np.full(3, BEGIN)}
    written, logs = [], []
    for _ in range(expected.shape[1]):
        log, named["state"] = step.run(tuple(named[each["name"]] for each in decoder.inputs))
        named["previous"] = log.argmax(axis=1)
        written.append(named["previous"])
        logs.append(log.max(axis=1))
    answers, log_NL = np.stack(written, axis=1), np.stack(logs, axis=1)
    has_ended = np.cumsum(answers == END, axis=1) > 0
    np.testing.assert_array_equal(np.where(has_ended, NO_TARGET, answers), expected)
    counted = np.pad(~has_ended, ((0, 0), (1, 0)), constant_values=True)[:, :-1]
    np.testing.assert_allclose((log_NL * counted).sum(axis=1) / counted.sum(axis=1), scores, atol=1e-4)


@variants
@settings(deadline=None, max_examples=20)
@given(rows=TOKENS, more=st.integers(0, 9))
def test_padding_never_changes_an_answer(variant: dict[str, Any], rows: list[list[int]], more: int) -> None:
    greedy = Greedy(network(variant)).eval()
    with torch.inference_mode():
        together, scores = greedy(torch.from_numpy(padded(rows, more)))
        for row, answer, score in zip(rows, together, scores, strict=True):
            (alone,), (own,) = greedy(torch.tensor([row]))
            assert answer[answer != NO_TARGET].tolist() == alone[alone != NO_TARGET].tolist()
            torch.testing.assert_close(score, own, rtol=0, atol=1e-5)


def test_marks_are_never_written() -> None:
    built = network(VARIANTS[0])
    with torch.no_grad():
        bias_of(built)[: BEGIN + 1] = 100.0
        tokens, _ = Greedy(built).eval()(torch.tensor([[3, 4]]))
    assert set(tokens.flatten().tolist()) <= {NO_TARGET, *range(END + 1, WRITING.num_tokens)}


def test_another_networks_answers_are_no_parity(tmp_path: Path) -> None:
    _, session = sessions(VARIANTS[0], tmp_path)["model"]
    examples = torch.randint(1, NUM_TOKENS, (4, LONGEST), generator=torch.Generator().manual_seed(1))
    other = network(VARIANTS[0])
    with torch.no_grad():
        bias_of(other).add_(torch.linspace(0, 1, WRITING.num_tokens))
    graph = graphs_of(other, INPUT, OUTPUT, Batch(examples, examples))["model"]
    with pytest.raises(ParityFailed):
        parity(graph, session)
