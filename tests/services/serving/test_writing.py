"""Texts of one request that are searched for: how many are in memory at once."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from services.serving.batch import Answer
from services.serving.engine import Engine
from services.serving.writing import ROWS_AT_ONCE, Parts, Writer
from shapes.tokens import END, Tokenizer
from tests.services.serving.engines import served
from tests.serving_models import lookup

SIGNATURE: dict[str, Any] = {
    "task": "translation",
    "modality": "text",
    "output": {"tokenizer": Tokenizer("characters", 8, ("a", "b")).as_json()},
}


def part(*outputs: str) -> Any:
    """A graph in memory, of which only the names are looked at."""
    named = lambda arrays: dict(zip(outputs, arrays, strict=True))  # noqa: E731
    return SimpleNamespace(network=SimpleNamespace(input_names=["previous", "memory"], named=named))


def test_an_encoder_reads_a_row_when_its_turn_to_be_written_has_come(tmp_path: Path) -> None:
    encoder, decoder = part("memory"), part("log_probabilities")
    begun = ended = most = 0

    async def run(loaded: Any, feeds: dict[str, np.ndarray], rows: int, **_: Any) -> Answer:
        nonlocal begun, ended, most
        assert rows == 1
        await asyncio.sleep(0)
        if loaded is encoder:
            begun += 1
            most = max(most, begun - ended)
            return Answer([feeds["tokens"] * 2.0], 0.0, 0.0, 0)
        ended += 1
        logs = np.full((1, 6), -10.0)
        logs[0, END] = -float(feeds["memory"][0, 0])
        return Answer([logs], 0.0, 0.0, 0)

    engine = cast(Engine, SimpleNamespace(run=run))
    writer = Writer(engine, served(tmp_path, lookup(), SIGNATURE), Parts(encoder, decoder), 1.0, 5, 1, 8)
    rows = 3 * ROWS_AT_ONCE
    made = asyncio.run(writer.predict({"tokens": np.arange(rows)[:, None] / 100}, [], 0.0))
    assert (begun, ended, most) == (rows, rows, ROWS_AT_ONCE)
    np.testing.assert_allclose([item["score"] for item in made.items], -np.arange(rows) / 50)
