"""Texts written through the engine: the same whoever asks beside, and the same as by torch."""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import nn

from models import registry
from models.examples import Batch
from models.export import export
from models.language.graphs import graphs_of
from models.language.stepping import Stepper
from models.preprocess import TokenPreprocess
from models.recurrent import RecurrentNetwork
from services.requests.generation import GenerateRequest
from services.serving.batch import Answer
from services.serving.calls import Found
from services.serving.generation import codes
from services.serving.generation.sampling import Manner
from services.serving.generation.texts import TextCall
from services.serving.generation.writing import Read, read, write
from services.serving.loading import load, rows_repeat
from services.serving.model import DECODER, ServedModel
from services.serving.predictions import Wish
from shapes.tokens import Tokenizer
from tests.generative_models import particular, writer
from tests.services.serving.engines import engine, network_of, served

TOKENIZER = Tokenizer("characters", 40, tuple("abcdefghijklmnopqrst"), marked=True)
SIGNATURE: dict[str, Any] = {
    "task": "text_generation",
    "modality": "text",
    "input": {"name": "tokens", "dtype": "int64", "shape": [None], "tokenizer": TOKENIZER.as_json()},
    "labels": None,
}
SHORT = {**SIGNATURE["input"], "tokenizer": Tokenizer("characters", 40, tuple("abcd"), marked=True).as_json()}
MANNERS = (Manner(), Manner(temperature=0.7, top_k=5), Manner(temperature=1.5, top_p=0.8))


def network(name: str, **options: Any) -> RecurrentNetwork:
    """With weights as large as a trained network's, so that what it writes depends on what it wrote."""
    torch.manual_seed(0)
    config = registry.get(name).configure({"embedding_dim": 6, "hidden_dim": 20, **options})
    built = config.build((TOKENIZER.num_tokens,), TOKENIZER.num_tokens)
    assert isinstance(built, RecurrentNetwork)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(3)
    return built.eval()


def decoder(built: RecurrentNetwork, directory: Path) -> ServedModel:
    described = SIGNATURE["input"]
    samples = Batch(torch.randint(1, 9, (4, 7)), torch.zeros(4, dtype=torch.int64))
    whole = nn.Sequential(TokenPreprocess(TOKENIZER.num_tokens), built)
    graph = graphs_of(whole, described, samples, conditional=False)["decoder"]
    path = directory / "exported.onnx"
    export(graph, {}, path)
    return replace(served(directory, path.read_bytes(), SIGNATURE), graph=DECODER)


async def written(step: Any, state_dim: int, seed: int, row: int, manner: Manner) -> list[int]:
    behind = await read(step, [TOKENIZER.begin()], np.zeros(state_dim, np.float32))
    draws = codes.draw_tokens(seed, row, TOKENIZER.max_length)
    return [token.number async for token in write(step, behind, draws, manner)]


@pytest.mark.parametrize(
    ("name", "options"),
    [("rnn", {}), ("lstm", {"num_layers": 2}), ("gru", {"layer_norm": True}), ("lstm", {"leak": 0.5, "skip": 2})],
)
def test_server_and_torch_write_the_same_text_for_the_same_seed(
    name: str, options: dict[str, Any], tmp_path: Path
) -> None:
    built = network(name, **options)
    model, stepper = decoder(built, tmp_path), Stepper(built)

    async def by_torch(token: int, state: np.ndarray) -> Read:
        with torch.inference_mode():
            logits, behind = stepper(torch.tensor([token]), torch.from_numpy(state)[None])
            return Read(logits.log_softmax(dim=1)[0].numpy(), behind[0].numpy())

    async def scenario() -> None:
        async with engine() as opened:
            loaded = await opened.load(model)

            async def by_server(token: int, state: np.ndarray) -> Read:
                feeds = {"previous": np.array([token]), "state": state[None]}
                logs, behind = (await opened.run(loaded, feeds, 1, deadline=float("inf"))).outputs
                return Read(logs[0], behind[0])

            size = stepper.state_dim
            for manner in MANNERS:
                asked = [(seed, row) for seed in (0, 7) for row in range(12)]
                ours = await asyncio.gather(*(written(by_server, size, *each, manner) for each in asked))
                theirs = [await written(by_torch, size, *each, manner) for each in asked]
                assert ours == theirs
                assert len({tuple(each) for each in ours}) > 4

    asyncio.run(scenario())


@pytest.mark.parametrize("seen", [True, False])
def test_steps_of_many_texts_run_together_where_rows_are_seen_to_be_independent(
    seen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.serving.loading.rows_repeat", lambda network: seen)
    loaded, _ = load(decoder(network("gru"), tmp_path), 2, "cpu")
    assert loaded.threads == 1
    assert loaded.joins is seen


def test_rows_that_depend_on_each_other_are_noticed() -> None:
    assert not rows_repeat(network_of(particular()))
    assert rows_repeat(network_of(writer()))


def test_nothing_is_written_any_more_once_nobody_reads(tmp_path: Path) -> None:
    told = {"conditional": False, "classes": None, "calls": ["generate"]}
    model = replace(served(tmp_path, writer(), {**SIGNATURE, "input": SHORT}), graph=DECODER, generative=told)
    steps = 0

    async def scenario() -> None:
        nonlocal steps
        async with engine() as opened:
            loaded = await opened.load(model)

            async def run(*arguments: Any, **options: Any) -> Answer:
                nonlocal steps
                steps += 1
                return await opened.run(*arguments, **options)

            found = Found(cast(Any, None), model, loaded)
            request = GenerateRequest(n=64, seed=1, max_length=200, top_k=4)
            call = TextCall.of(request, found, Wish(float("inf")))
            async with aclosing(call.pieces(cast(Any, SimpleNamespace(engine=SimpleNamespace(run=run))))) as pieces:
                await anext(pieces)
            begun = steps
            await asyncio.sleep(0.05)
            assert steps == begun
            assert opened.num_rows == 0

    asyncio.run(scenario())
    assert steps < 64 * 5
