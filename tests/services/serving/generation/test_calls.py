"""Calls of a graph that must answer the same bits: what is run together, and with how many threads."""

import asyncio
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from services.serving.loading import load
from services.serving.model import DECODER, ServedModel
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
