import pytest
import torch

from models.generative.noise import Noise, corrupted

GREY = torch.full((8, 1, 50, 50), 0.5)


def test_gaussian_noise_has_the_asked_for_deviation_and_keeps_images_within_bounds() -> None:
    torch.manual_seed(0)
    noisy = corrupted(GREY, "gaussian", 0.1)
    assert float((noisy - GREY).std()) == pytest.approx(0.1, rel=0.05)
    bright = corrupted(GREY, "gaussian", 5.0)
    assert (float(bright.min()), float(bright.max())) == (0.0, 1.0)
    assert float(corrupted(GREY[:, 0, 0], "gaussian", 5.0).max()) > 1.0, "features have no bounds"


def test_masking_puts_so_many_values_to_zero_and_leaves_the_others() -> None:
    torch.manual_seed(0)
    noisy = corrupted(GREY, "masking", 0.3)
    assert float((noisy == 0).float().mean()) == pytest.approx(0.3, abs=0.02)
    assert set(torch.unique(noisy).tolist()) == {0.0, 0.5}


def test_salt_and_pepper_is_half_black_and_half_white() -> None:
    torch.manual_seed(0)
    noisy = corrupted(GREY, "salt_and_pepper", 0.4)
    for value in (0.0, 1.0):
        assert float((noisy == value).float().mean()) == pytest.approx(0.2, abs=0.02)


def test_salt_and_pepper_of_a_table_are_the_ends_of_each_column() -> None:
    torch.manual_seed(0)
    rows = torch.randn(500, 2) * torch.tensor([1.0, 100.0])
    noisy = corrupted(rows, "salt_and_pepper", 1.0)
    assert torch.equal(noisy.amin(0), rows.amin(0))
    assert torch.equal(noisy.amax(0), rows.amax(0))
    assert len(torch.unique(noisy[:, 0])) == 2


@pytest.mark.parametrize("noise", ["gaussian", "masking", "salt_and_pepper"])
def test_a_generator_makes_the_same_noise_and_leaves_the_global_one_alone(noise: Noise) -> None:
    before = torch.get_rng_state()
    first, second = (corrupted(GREY, noise, 0.5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_noise_is_no_change() -> None:
    assert corrupted(GREY, "none", 0.5) is GREY
