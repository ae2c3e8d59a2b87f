"""What `rnn`, `lstm` and `gru` share: a text or a series is read to its end, whatever is behind it."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from models import registry
from models.data import DataSet
from models.errors import JobError
from models.examples import Examples
from models.export import PARITY_BATCH_SIZES, PARITY_LENGTHS, export, parity
from models.graphs import Graph, on_cpu, served
from models.inference import Session
from models.losses import CrossEntropy
from models.recurrent import truncate
from models.registry import Shape
from models.summary import layers
from models.tasks.tagging import Tagging
from models.transduction import Transducer
from shapes.tokens import PADDING

NAMES = ("rnn", "lstm", "gru")
NUM_TOKENS = 9
CROSS = CrossEntropy(name="cross_entropy")
VARIANTS: list[dict[str, Any]] = [
    {},
    {"bidirectional": True},
    {"num_layers": 2},
    {"num_layers": 2, "skip": 3, "leak": 0.4},
    {"num_layers": 3, "bidirectional": True, "layer_norm": True, "dropout": 0.3, "skip": 2, "leak": 0.7},
]
SIZES = {"embedding_dim": 5, "hidden_dim": 7}
FEATURES = 2
NUMBERS = st.floats(-2, 2, width=32)
SERIES = st.lists(
    st.lists(st.lists(NUMBERS, min_size=FEATURES, max_size=FEATURES), min_size=1, max_size=12), min_size=1, max_size=5
)
TOKENS = st.lists(st.lists(st.integers(1, NUM_TOKENS - 1), min_size=1, max_size=12), min_size=1, max_size=5)
variants = pytest.mark.parametrize(
    "variant", VARIANTS, ids=["plain", "bidirectional", "deep", "leaky with skips", "everything"]
)
names = pytest.mark.parametrize("name", NAMES)


def network(name: str, variant: dict[str, Any], shape: Shape = (NUM_TOKENS,)) -> nn.Module:
    torch.manual_seed(0)
    return registry.get(name).configure({**SIZES, **variant}).build(shape, 3).eval()


def padded(rows: list[list[int]], more: int = 0) -> Tensor:
    width = max(map(len, rows)) + more
    return torch.tensor([row + [PADDING] * (width - len(row)) for row in rows])


@names
@variants
@settings(deadline=None, max_examples=25)
@given(rows=TOKENS, more=st.integers(0, 9))
def test_padding_never_changes_an_answer(name: str, variant: dict[str, Any], rows: list[list[int]], more: int) -> None:
    built = network(name, variant)
    with torch.inference_mode():
        alone = torch.cat([built(padded([row])) for row in rows])
        together = built(padded(rows, more))
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


def stacked(rows: list[list[list[float]]], more: int = 0) -> Tensor:
    width = max(map(len, rows)) + more
    return torch.tensor([row + [[float("nan")] * FEATURES] * (width - len(row)) for row in rows])


def spelled(rows: list[list[int]], more: int = 0) -> Tensor:
    """Each token followed by three characters, of which some are missing."""
    tokens = padded(rows, more)
    characters = [(tokens * place) % (NUM_TOKENS - 2) for place in (2, 3, 5)]
    return torch.stack([tokens, *characters], dim=2)


@names
@variants
@settings(deadline=None, max_examples=25)
@given(rows=SERIES, more=st.integers(0, 9))
def test_padding_never_changes_the_answer_to_a_series(
    name: str, variant: dict[str, Any], rows: list[list[list[float]]], more: int
) -> None:
    built = network(name, variant, (0, FEATURES))
    with torch.inference_mode():
        alone = torch.cat([built(stacked([row])) for row in rows])
        together = built(stacked(rows, more))
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)


@names
def test_a_step_of_zeros_and_a_missing_number_are_no_padding(name: str) -> None:
    built = network(name, {}, (0, FEATURES))
    with torch.inference_mode():
        short, zeros = built(stacked([[[1.0, 2.0]], [[1.0, 2.0], [0.0, 0.0]]]))
        partly, filled = built(stacked([[[1.0, float("nan")], [1.0, 2.0]], [[1.0, 0.0], [1.0, 2.0]]]))
    assert not torch.allclose(short, zeros)
    torch.testing.assert_close(partly, filled)


@names
@variants
@settings(deadline=None, max_examples=25)
@given(rows=TOKENS, more=st.integers(0, 9), spelling=st.booleans())
def test_padding_never_changes_the_answer_at_a_token(
    name: str, variant: dict[str, Any], rows: list[list[int]], more: int, spelling: bool
) -> None:
    built = cast(Transducer, network(name, {**variant, "spelling": 3 if spelling else 0}))
    tokens = spelled if spelling else padded
    with torch.inference_mode():
        alone = [built.transduce(tokens([row]))[0] for row in rows]
        together = built.transduce(tokens(rows, more))
    for row, expected in zip(together, alone, strict=True):
        torch.testing.assert_close(row[: len(expected)], expected, rtol=0, atol=1e-6)


@names
@pytest.mark.parametrize("spelling", [0, 3])
def test_batch_and_length_are_free_where_each_token_is_answered(name: str, spelling: int, tmp_path: Any) -> None:
    longest = 41
    rows = torch.randint(1, NUM_TOKENS, (4, longest), generator=torch.Generator().manual_seed(1)).tolist()
    examples = spelled(rows) if spelling else padded(rows)
    tokens = {"name": "tokens", "dtype": "int64", "shape": [None, *examples.shape[2:]]}
    built = network(name, {"bidirectional": True, "num_layers": 2, "spelling": spelling})
    task = Tagging(DataSet(Path(), {"classes": list("abc")}), Examples(examples.numpy(), None, np.arange(4)), CROSS)
    module = on_cpu(task.answering(nn.Sequential(nn.Identity(), built)))
    graph = Graph(module, [tokens], [task.output()], (examples,), {"probabilities": 1e-5})
    export(graph, {}, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", threads=1)
    found = parity(graph, session)
    assert found["max_abs_difference"] <= 1e-5
    assert (found["batch_sizes"], found["lengths"]) == (list(PARITY_BATCH_SIZES), [*PARITY_LENGTHS, longest])
    row = examples[:1, :5].numpy()
    answer, wide = session.run(row), session.run(np.pad(row, [(0, 0), (0, 30)] + [(0, 0)] * (row.ndim - 2)))
    np.testing.assert_allclose(wide[:, :5], answer, atol=1e-6)
    assert not wide[:, 5:].any()
    np.testing.assert_allclose(answer.sum(axis=2), 1, atol=1e-5)


@names
def test_what_is_read_last_and_first_both_count(name: str) -> None:
    built = network(name, {"bidirectional": True})
    with torch.inference_mode():
        first, last, same = built(torch.tensor([[2, 3, 4, 0], [5, 3, 4, 0], [2, 3, 6, 0]]))
    assert not torch.allclose(first, last)
    assert not torch.allclose(first, same)


@names
def test_each_direction_is_torchs_own(name: str) -> None:
    built = network(name, {"bidirectional": True})
    tokens = torch.tensor([[2, 5, 7, 3, 1]])
    whole = built.layers[0].directions[0].__class__(5, 7, batch_first=True, bidirectional=True)  # type: ignore[index, union-attr]
    forward, backward = (direction.state_dict() for direction in built.layers[0].directions)  # type: ignore[index, union-attr]
    whole.load_state_dict(forward | {f"{key}_reverse": value for key, value in backward.items()})
    with torch.inference_mode():
        _, state = whole(built.embedding(tokens))  # type: ignore[operator]
        states = state[0] if isinstance(state, tuple) else state
        expected = built.output(states.transpose(0, 1).flatten(1))  # type: ignore[operator]
        torch.testing.assert_close(built(tokens), expected, rtol=0, atol=1e-6)


@names
@variants
def test_batch_and_length_are_free_in_the_exported_graph(name: str, variant: dict[str, Any], tmp_path: Any) -> None:
    longest = 41
    examples = torch.randint(1, NUM_TOKENS, (4, longest), generator=torch.Generator().manual_seed(1))
    tokens = {"name": "tokens", "dtype": "int64", "shape": [None]}
    answer = {"name": "probabilities", "dtype": "float32", "shape": [3]}
    module = served(network(name, variant), nn.Softmax(dim=1))
    graph = Graph(module, [tokens], [answer], (examples,), {"probabilities": 1e-5})
    export(graph, {}, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", threads=1)
    found = parity(graph, session)
    assert found["max_abs_difference"] <= 1e-5
    assert (found["batch_sizes"], found["lengths"]) == (list(PARITY_BATCH_SIZES), [*PARITY_LENGTHS, longest])
    row = np.array([[3, 1, 4]])
    np.testing.assert_allclose(session.run(np.pad(row, ((0, 0), (0, 30)))), session.run(row), atol=1e-6)


@names
@variants
def test_the_exported_graph_takes_series_of_any_length(name: str, variant: dict[str, Any], tmp_path: Any) -> None:
    longest = 41
    examples = torch.randn(4, longest, FEATURES, generator=torch.Generator().manual_seed(1))
    examples[1, 5:] = float("nan")
    series = {"name": "series", "dtype": "float32", "shape": [None, FEATURES]}
    answer = {"name": "value", "dtype": "float32", "shape": [3]}
    graph = Graph(
        served(network(name, variant, (0, FEATURES)), nn.Identity()), [series], [answer], (examples,), {"value": 1e-5}
    )
    export(graph, {}, tmp_path / "model.onnx")
    session = Session(tmp_path / "model.onnx", threads=1)
    found = parity(graph, session)
    assert found["max_abs_difference"] <= 1e-5
    assert (found["batch_sizes"], found["lengths"]) == (list(PARITY_BATCH_SIZES), [*PARITY_LENGTHS, longest])
    row = np.ones((1, 3, FEATURES), np.float32)
    padded_row = np.pad(row, ((0, 0), (0, 30), (0, 0)), constant_values=np.nan)
    np.testing.assert_allclose(session.run(padded_row), session.run(row), atol=1e-6)


@names
def test_its_layers_are_listed_with_their_costs(name: str) -> None:
    built = network(name, {"bidirectional": True})
    rows = layers(built, (NUM_TOKENS,))
    assert sum(row.parameters for row in rows) == sum(parameter.numel() for parameter in built.parameters())
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[name]
    assert [row.multiply_adds for row in rows if row.kind == name.upper()] == [NUM_TOKENS * gates * (5 + 7) * 7] * 2


def test_the_forget_gates_of_an_lstm_begin_as_open_as_they_are_told() -> None:
    biases = []
    for forget_bias in (0.0, 1.5):
        built = network("lstm", {"forget_bias": forget_bias, "num_layers": 2})
        biases.append([bias for name, bias in built.named_parameters() if "bias_ih" in name])
    for plain, raised in zip(*biases, strict=True):
        torch.testing.assert_close(raised - plain, torch.tensor([0.0, 1.5, 0.0, 0.0]).repeat_interleave(7))


@names
def test_truncation_is_of_training_alone(name: str) -> None:
    built = network(name, {"bidirectional": True}, (0, FEATURES))
    x = torch.randn(2, 9, FEATURES, requires_grad=True)
    whole = built(x)
    truncate(built, 3)
    assert torch.equal(built(x), whole)
    torch.testing.assert_close(built.train()(x), whole)
    (slope,) = torch.autograd.grad(built(x)[:, 0].sum(), [x])
    assert slope[:, 3:6].abs().max() == 0


def test_what_cannot_be_truncated_says_so() -> None:
    with pytest.raises(JobError, match="is for recurrent networks"):
        truncate(nn.Linear(2, 2), 3)
    with pytest.raises(JobError, match="not for leaky networks"):
        truncate(network("rnn", {"leak": 0.5}), 3)
