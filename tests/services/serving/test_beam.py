"""Beam search over networks small enough to be searched through."""

import asyncio
from itertools import product

import numpy as np
import pytest

from services.serving.beam import Beam, Given, Written, search
from shapes.tokens import BEGIN, END

LETTERS = (4, 5)
NUM_TOKENS = 6


class Chain:
    """The next token's probability depends on the last two; the state is the one before the last."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        logits = random.normal(scale=2.0, size=(NUM_TOKENS, NUM_TOKENS, NUM_TOKENS))
        logits[:, :, :END] = -100
        self.logs = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
        self.widths: list[int] = []

    async def step(self, last_B: np.ndarray, given: Given) -> tuple[np.ndarray, Given]:
        self.widths.append(len(last_B))
        return self.logs[given["state"], last_B], {"state": last_B}

    def score(self, tokens: list[int], *, ended: bool) -> float:
        written = [BEGIN, BEGIN, *tokens, *([END] if ended else [])]
        logs = [self.logs[written[k - 2], written[k - 1], written[k]] for k in range(2, len(written))]
        return float(np.mean(logs))


def found(chain: Chain, width: int, max_length: int) -> Written:
    return asyncio.run(search(chain.step, {"state": np.array([BEGIN])}, width=width, max_length=max_length))


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_as_wide_as_there_are_texts_finds_the_best(seed: int) -> None:
    chain, max_length = Chain(seed), 3
    every = [list(tokens) for length in range(max_length) for tokens in product(LETTERS, repeat=length)]
    scores = {tuple(tokens): chain.score(tokens, ended=True) for tokens in every}
    longest = [list(tokens) for tokens in product(LETTERS, repeat=max_length)]
    scores |= {tuple(tokens): chain.score(tokens, ended=False) for tokens in longest}
    best = max(scores, key=scores.__getitem__)
    written = found(chain, 16, max_length)
    assert tuple(written.tokens) == best
    assert written.score == pytest.approx(scores[best])


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_of_width_1_writes_the_most_probable_token_each_time(seed: int) -> None:
    chain = Chain(seed)
    written = found(chain, 1, 6)
    expected: list[int] = []
    last = (BEGIN, BEGIN)
    while len(expected) < 6 and (token := int(chain.logs[last].argmax())) != END:
        expected.append(token)
        last = (last[1], token)
    assert written.tokens == expected
    assert written.score == pytest.approx(chain.score(expected, ended=len(expected) < 6))


def test_never_more_texts_are_written_at_once_than_the_beam_is_wide() -> None:
    chain = Chain(1)
    found(chain, 3, 8)
    assert max(chain.widths) <= 3


def test_what_does_not_change_comes_to_each_step_with_a_row_for_each_text() -> None:
    chain, memory = Chain(2), np.arange(3.0)[None]

    async def step(last_B: np.ndarray, given: Given) -> tuple[np.ndarray, Given]:
        np.testing.assert_array_equal(given["memory"], np.repeat(memory, len(last_B), axis=0))
        buffers.append(given["memory"].base)
        return await chain.step(last_B, given)

    buffers: list[np.ndarray | None] = []
    given = {"state": np.array([BEGIN]), "memory": memory}
    assert asyncio.run(search(step, given, width=3, max_length=8)) == found(chain, 3, 8)
    assert len({id(buffer) for buffer in buffers[1:]}) == 1
    assert len(buffers) > 3


def test_what_has_ended_takes_a_place_of_the_beam() -> None:
    beam = Beam(width=2, max_length=9)
    logs = np.full((1, NUM_TOKENS), -100.0)
    logs[0, [END, 4]] = np.log([0.6, 0.4])
    assert beam.extend(logs).tolist() == [0]
    assert beam.ended == [Written([], float(logs[0, END]))]
    assert beam.texts == [[4]]
    assert beam.last_B.tolist() == [4]
    beam.extend(logs)
    assert beam.texts == []
    assert [written.tokens for written in beam.ended] == [[], [4]]
