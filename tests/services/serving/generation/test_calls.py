"""Calls of a graph that must answer the same bits: what is run together, and with how many threads."""

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.requests.generation import GenerateRequest
from services.serving.calls import Found
from services.serving.generation.asked import Generating
from services.serving.loading import load
from services.serving.model import DECODER, ServedModel
from services.serving.predictions import Wish
from tests.generative_models import particular
from tests.services.serving.engines import answered, batches, engine, served
from tests.serving_models import slow


@pytest.fixture
def decoder(tmp_path: Path) -> ServedModel:
    """A graph whose rows come out otherwise beside others."""
    return replace(served(tmp_path, particular()), graph=DECODER)


def test_a_request_is_a_run_of_its_own(decoder: ServedModel) -> None:
    counted = CollectorRegistry()
    codes = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    requests = [codes[:1], codes[1:3], codes[3:8], codes[8:40], codes[:7]]

    async def scenario() -> None:
        async with engine(counted) as opened:
            alone = [(await answered(opened, decoder, {"code": each})).outputs[0] for each in requests]
            together = await asyncio.gather(*(answered(opened, decoder, {"code": each}) for each in requests * 4))
            for expected, found in zip(alone * 4, together, strict=True):
                assert (found.outputs[0] == expected).all()

    asyncio.run(scenario())
    assert sum(batches(counted).values()) == 5 * len(requests)


def test_it_is_run_by_one_thread_however_long_it_takes(tmp_path: Path) -> None:
    model = served(tmp_path, slow(), bounded=False)
    network, _ = load(replace(model, graph=DECODER), 2, "cpu")
    assert network.threads == 1
    assert (network.batchable, network.joins) == (True, False)
    assert load(model, 2, "cpu")[0].joins


def test_what_a_version_was_found_for_is_made_by_that_version() -> None:
    """Shared traffic may find another one at each look."""
    told = {"code": 2, "classes": None, "conditional": False, "sample": {"shape": [2], "dtype": "float32"}}
    entry, loaded = cast(Any, None), cast(Any, None)
    finds = [
        Found(entry, cast(Any, SimpleNamespace(writes=False, generative=told, version=number)), loaded)
        for number in (1, 2)
    ]

    async def find(*_: Any) -> Found:
        return finds.pop(0)

    async def aside(num_bytes: int, work: Any, *arguments: Any) -> Any:
        return work(*arguments)

    predictor = cast(Any, SimpleNamespace(ready=lambda *_: finds.pop(0), find=find, aside=aside))
    asked, wish = Generating(GenerateRequest(n=3, seed=1)), Wish(float("inf"))
    left = list(finds)
    begun = asked.begin(predictor, "m", wish)
    assert begun is not None
    assert (begun.found, finds) == (left[0], left[1:])
    finds[:] = left
    prepared = asyncio.run(asked.prepare(predictor, "m", wish))
    assert (prepared.found, finds) == (left[0], left[1:])
