"""One token chosen by a draw."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.generation.sampling import Manner, pick
from shapes.tokens import END

SHARES = np.array([0.2, 0.05, 0.05, 0.1, 0.3, 0.2, 0.1])
LOGS = np.log(SHARES).astype(np.float32)
ALLOWED = SHARES[END:] / SHARES[END:].sum()


def shares(manner: Manner, count: int = 4000) -> np.ndarray:
    """Of the tokens that evenly spread draws come to."""
    picked = [pick(LOGS, (place + 0.5) / count, manner) for place in range(count)]
    return np.bincount(picked, minlength=len(LOGS)) / count


def test_tokens_come_as_often_as_is_probable_and_marks_never() -> None:
    found = shares(Manner())
    assert not found[:END].any()
    np.testing.assert_allclose(found[END:], ALLOWED, atol=1e-3)


def test_a_temperature_sharpens_or_flattens() -> None:
    for temperature in (0.5, 2.0):
        expected = ALLOWED ** (1 / temperature)
        np.testing.assert_allclose(shares(Manner(temperature))[END:], expected / expected.sum(), atol=1e-3)
    assert shares(Manner(1e-9))[4] == 1


def test_only_the_most_probable_are_kept() -> None:
    assert np.flatnonzero(shares(Manner(top_k=1))).tolist() == [4]
    assert np.flatnonzero(shares(Manner(top_k=2))).tolist() == [4, 5]
    np.testing.assert_allclose(shares(Manner(top_k=2))[4:6], [0.6, 0.4], atol=1e-3)
    assert np.flatnonzero(shares(Manner(top_k=100))).tolist() == [3, 4, 5, 6]
    # Of 0.7: 0.3, 0.2, 0.1 and 0.1.
    assert np.flatnonzero(shares(Manner(top_p=0.42))).tolist() == [4]
    assert np.flatnonzero(shares(Manner(top_p=0.44))).tolist() == [4, 5]
    assert np.flatnonzero(shares(Manner(top_p=0.8))).tolist() == [3, 4, 5]


LOGITS = st.lists(st.floats(-100, 0, width=32), min_size=END + 1, max_size=40)


@given(
    LOGITS,
    st.floats(0, 1, exclude_max=True),
    st.floats(1e-300, 10),
    st.one_of(st.none(), st.integers(1, 50)),
    st.floats(0, 1, exclude_min=True),
)
def test_there_is_always_a_token(
    logits: list[float], draw: float, temperature: float, top_k: int | None, top_p: float
) -> None:
    token = pick(np.array(logits, np.float32), draw, Manner(temperature, top_k, top_p))
    assert END <= token < len(logits)


@pytest.mark.parametrize("draw", [0.0, 1 - 2.0**-53])
def test_the_ends_of_the_draws_are_tokens_too(draw: float) -> None:
    assert pick(LOGS, draw, Manner()) == (3 if draw == 0 else 6)
