"""Schedules of teacher forcing: where they begin, are half-way and end."""

import pytest

from models.translation.forcing import Forcing, share

FALLING: tuple[Forcing, ...] = ("linear", "exponential", "inverse_sigmoid")


@pytest.mark.parametrize("forcing", FALLING)
@pytest.mark.parametrize("half", [1, 10, 1000])
def test_the_share_falls_from_1_is_half_way_and_ends_at_the_least(forcing: Forcing, half: int) -> None:
    shares = [share(forcing, batch, least=0.2, half=half) for batch in range(0, 20 * half, half)]
    assert shares == sorted(shares, reverse=True)
    assert shares[1] == pytest.approx(0.6)
    assert shares[-1] == pytest.approx(0.2, abs=0.05)
    assert all(0.2 <= each <= 1 + 1e-12 for each in shares)


def test_at_the_first_batch_nearly_everything_is_told() -> None:
    assert share("linear", 0, least=0.0, half=100) == share("exponential", 0, least=0.0, half=100) == 1
    # k / (k + 1), for the k of which k log k is 1000
    assert share("inverse_sigmoid", 0, least=0.0, half=1000) == pytest.approx(190.5 / 191.5, abs=1e-3)


def test_constantly_it_is_the_least() -> None:
    assert {share("constant", batch, least=0.7, half=10) for batch in (0, 5, 1000)} == {0.7}
