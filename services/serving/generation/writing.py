"""A text written token by token, by whatever computes a step. K different tokens."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

import numpy as np

from services.serving.generation.sampling import Manner, pick
from shapes.tokens import END


class Read(NamedTuple):
    """What is known behind a token: the logarithms (K,) of the probabilities of the next one, and the state."""

    logs_K: np.ndarray
    state: np.ndarray


class Token(NamedTuple):
    """One that was written, and the logarithm of its probability by the network itself."""

    number: int
    log_probability: float


Step = Callable[[int, np.ndarray], Awaitable[Read]]
"""From a token and the state before it."""


async def read(step: Step, tokens: Sequence[int], state: np.ndarray) -> Read:
    """What is known behind tokens, at least one, that begin in this state."""
    for token in tokens:
        behind = await step(token, state)
        state = behind.state
    return behind


async def write(step: Step, behind: Read, draws: np.ndarray, manner: Manner) -> AsyncIterator[Token]:
    """A token for each draw, up to the end, which is one too."""
    for place, draw in enumerate(draws.tolist()):
        number = pick(behind.logs_K, draw, manner)
        yield Token(number, float(behind.logs_K[number]))
        if number == END or place == len(draws) - 1:
            return
        behind = await step(number, behind.state)
