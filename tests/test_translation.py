"""Texts over HTTP are those that torch writes, greedily and by beam search."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest
import torch
from starlette.testclient import TestClient
from torch import Tensor, nn

from api.main import create_app
from models import registry
from models.examples import Batch
from models.export import export
from models.preprocess import TokenPreprocess
from models.translation.graphs import Greedy, Step, graphs_of
from services.settings import Settings
from shapes.tokens import BEGIN, END, NO_TARGET, Tokenizer
from tests.api.conftest import add_version, migrate, opened
from tests.generative_models import add_generative
from tests.serving_models import text_classifier, text_signature

READING = Tokenizer("characters", 40, tuple("abcdefgh"))
WRITING = Tokenizer("characters", 12, tuple("klmnopqr"), marked=True)
INPUT = {"name": "tokens", "dtype": "int64", "shape": [None], "tokenizer": READING.as_json()}
OUTPUT = {"name": "written", "dtype": "int64", "shape": [None], "tokenizer": WRITING.as_json()}
SIGNATURE = {"task": "translation", "modality": "text", "input": INPUT, "output": OUTPUT, "labels": None}
TEXTS = ["abc", "hgfedcba", "a", "aaaaaaaaaa", "cabbage", "dead", "fbhca"]


class Served(NamedTuple):
    """A gateway with a model `letters`, and the network that it is of."""

    client: TestClient
    network: nn.Sequential

    def predict(self, texts: list[Any], **query: Any) -> httpx.Response:
        body = {"inputs": texts}
        response: httpx.Response = self.client.post("/v1/models/letters/predict", json=body, params=query)
        return response

    def written(self, texts: list[str], **query: Any) -> list[dict[str, Any]]:
        response = self.predict(texts, **query)
        assert response.status_code == 200, response.text
        predictions: list[dict[str, Any]] = response.json()["predictions"]
        return predictions


@pytest.fixture(scope="module", params=["additive", "none"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, broker_url: str
) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("gateway")
    network = untrained(request.param)
    examples = torch.randint(1, READING.num_tokens, (4, 9), generator=torch.Generator().manual_seed(1))
    files = {name: home / f"{name}.onnx" for name in ("model", "encoder", "decoder")}
    for name, graph in graphs_of(network, INPUT, OUTPUT, Batch(examples, examples)).items():
        export(graph, {}, files[name])
    settings = Settings(home=home, broker_url=broker_url)
    migrate(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        graphs = {name: path.read_bytes() for name, path in files.items()}
        add_generative(opened(client), "letters", graphs, SIGNATURE, {})
        add_version(opened(client), "lengths", text_classifier(), text_signature())
        yield Served(client, network)


def untrained(attention: str) -> nn.Sequential:
    """Weights that make answers of different lengths and letters."""
    torch.manual_seed(4)
    config = registry.get("seq2seq").configure(
        {"embedding_dim": 5, "hidden_dim": 16, "max_written": WRITING.max_length, "attention": attention}
    )
    built = config.build((READING.num_tokens,), WRITING.num_tokens)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(4)
    return nn.Sequential(TokenPreprocess(READING.num_tokens), built).eval()


def greedy(network: nn.Sequential, text: str) -> tuple[str, float]:
    with torch.inference_mode():
        (tokens,), (score,) = Greedy(network).eval()(torch.tensor([READING.encode(text)]))
    return WRITING.text(tokens.tolist()), float(score)


def log_probabilities(network: nn.Sequential, text: str, tokens: list[int]) -> Tensor:
    """(L + 1, K), of each token of a text and of the one behind it, all computed anew."""
    previous = torch.tensor([[BEGIN, *tokens]])
    with torch.inference_mode():
        logits = network[1](torch.tensor([READING.encode(text)]), previous)
        return Step(network[1], WRITING.num_tokens).allowed(logits)[0]  # type: ignore[arg-type]


def beam(network: nn.Sequential, text: str, width: int) -> tuple[str, float]:
    """The search as it is told of in words, without a state."""
    going: list[tuple[float, list[int]]] = [(0.0, [])]
    ended: list[tuple[float, list[int]]] = []
    while going:
        candidates = []
        for total, tokens in going:
            for token, log in enumerate(log_probabilities(network, text, tokens)[-1].tolist()):
                candidates.append((total + log, [*tokens, token]))
        going = []
        for total, tokens in sorted(candidates, key=lambda each: -each[0]):
            if len(going) + len(ended) < width:
                is_over = tokens[-1] == END or len(tokens) == WRITING.max_length
                (ended if is_over else going).append((total / len(tokens), tokens) if is_over else (total, tokens))
    score, tokens = max(ended, key=lambda each: each[0])
    return WRITING.text(tokens), score


def test_the_server_writes_what_torch_does(served: Served) -> None:
    expected = [greedy(served.network, text) for text in TEXTS]
    assert len({text for text, _ in expected}) >= 6
    for query in ({}, {"beam_width": 1}):
        predictions = served.written(TEXTS, **query)
        assert [each["text"] for each in predictions] == [text for text, _ in expected]
        assert [each["score"] for each in predictions] == pytest.approx([score for _, score in expected], abs=1e-4)


@pytest.mark.parametrize("query", [{}, {"beam_width": 2}])
def test_a_text_that_is_not_read_to_its_end_is_said_to_be_truncated(served: Served, query: dict[str, int]) -> None:
    most = READING.max_length
    predictions = served.written(["a" * most, "a" * most + "b"], **query)
    assert predictions[1] == {**predictions[0], "truncated": True}


@pytest.mark.parametrize("width", [2, 4])
def test_a_beam_writes_what_a_plain_search_finds(served: Served, width: int) -> None:
    expected = [beam(served.network, text, width) for text in TEXTS]
    predictions = served.written(TEXTS, beam_width=width)
    assert [each["text"] for each in predictions] == [text for text, _ in expected]
    assert [each["score"] for each in predictions] == pytest.approx([score for _, score in expected], abs=1e-4)
    assert [served.written([text], beam_width=width)[0]["text"] for text in TEXTS] == [text for text, _ in expected]


def test_a_text_is_no_longer_than_it_may_be(served: Served) -> None:
    whole = [text for text, _ in (greedy(served.network, each) for each in TEXTS)]
    assert [each["text"] for each in served.written(TEXTS, max_length=2)] == [text[:2] for text in whole]
    assert all(len(each["text"]) <= 2 for each in served.written(TEXTS, max_length=2, beam_width=3))


def test_tensors_of_the_protocol_are_the_tokens(served: Served) -> None:
    tokens = READING.encode("abc")
    body = {"inputs": [{"name": "tokens", "datatype": "INT64", "shape": [1, len(tokens)], "data": tokens}]}
    answer = served.client.post("/v2/models/letters/infer", json=body)
    assert answer.status_code == 200, answer.text
    outputs = {each["name"]: each["data"] for each in answer.json()["outputs"]}
    text, score = greedy(served.network, "abc")
    assert WRITING.text([token for token in outputs["written"] if token != NO_TARGET]) == text
    assert outputs["score"] == pytest.approx([score], abs=1e-4)


def test_what_was_never_seen_is_read_as_unknown(served: Served) -> None:
    (prediction,) = served.written(["a漢\N{PILE OF POO}c"])
    assert set(prediction) == {"text", "score"}
    response = served.client.post(
        "/v1/models/letters/predict?beam_width=2", content="a漢c", headers={"content-type": "text/plain"}
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("text", "message"), [("", "empty"), (" \t\n", "empty"), ("a" * 2**20, "1,048,576 characters"), (3, "text")]
)
@pytest.mark.parametrize("query", [{}, {"beam_width": 4}], ids=["greedy", "beam"])
def test_what_is_no_text_to_read_is_refused(served: Served, text: Any, message: str, query: dict[str, int]) -> None:
    response = served.predict(["abc", text], **query)
    assert response.status_code == 422
    assert response.json()["code"] == "input_invalid"
    assert message in response.json()["detail"]
    assert "inputs[1]" in response.json()["detail"]


@pytest.mark.parametrize(
    "query",
    [{"beam_width": 0}, {"beam_width": 17}, {"beam_width": "wide"}, {"max_length": 0}, {"max_length": 13}],
    ids=str,
)
def test_what_cannot_be_wished_is_refused(served: Served, query: dict[str, Any]) -> None:
    response = served.predict(["abc"], **query)
    assert response.status_code == 422
    (name,) = query
    assert response.json()["errors"][0]["loc"] == ["query", name]


def test_a_beam_is_for_what_writes(served: Served) -> None:
    response = served.client.post("/v1/models/lengths/predict?beam_width=2", json={"inputs": ["ab"]})
    assert (response.status_code, response.json()["code"]) == (409, "call_unsupported")
