"""Codes: drawn, read, and on the way from one to another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import Invalid
from services.serving.generation import codes

PINNED = [[-0.2933390140533447, 1.703830599784851, 1.5391918420791626]]
PINNED_CLASSES = [1, 9, 2, 8, 5, 0, 4, 3, 7, 6]


def test_a_seed_gives_the_same_codes_of_a_normal_distribution() -> None:
    drawn = codes.draw(7, 2000, 10)
    assert drawn.dtype == np.float32
    assert (drawn == codes.draw(7, 2000, 10)).all()
    assert (drawn != codes.draw(8, 2000, 10)).any()
    assert abs(drawn.mean()) < 0.03
    assert abs(drawn.std() - 1) < 0.03
    assert codes.draw(7, 2000, 10, temperature=0.25).std() == pytest.approx(drawn.std() / 4, rel=1e-5)


def test_a_seed_means_the_same_numbers_for_ever() -> None:
    """Pinned, so that an update of numpy that changes them is noticed."""
    assert codes.draw(7, 1, 3).tolist() == PINNED
    assert codes.draw_classes(7, 10, 10).tolist() == PINNED_CLASSES


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 12))
def test_classes_are_drawn_alike_and_a_smaller_draw_begins_a_larger(seed: int, n: int, num_classes: int) -> None:
    drawn = codes.draw_classes(seed, n, num_classes)
    counts = np.bincount(drawn, minlength=num_classes)
    assert len(drawn) == n
    assert counts.max() - counts.min() <= 1
    assert (codes.draw_classes(seed, n + 5, num_classes)[:n] == drawn).all()


def test_codes_that_are_none_are_refused_with_what_is_expected() -> None:
    assert codes.read([[1, 2.5], [3, -4]], 2, "z").tolist() == [[1, 2.5], [3, -4]]
    for wrong in ([[1]], [[1, 2], [3]], [[1, None]], [[True, False]], [["1", "2"]], [1, 2], [[[1], [2]]], [[2**70, 1]]):
        with pytest.raises(Invalid) as failure:
            codes.read(wrong, 2, "z")
        assert failure.value.errors[0]["loc"] == ["body", "z"]
    with pytest.raises(Invalid, match="float32") as failure:
        codes.read([[1, 2], [1, -1e39]], 2, "codes")
    assert failure.value.errors[0]["loc"] == ["body", "codes", 1]


CODES = st.lists(st.floats(-5, 5, width=32), min_size=4, max_size=4).map(lambda each: np.array(each, np.float32))


@given(CODES, CODES, st.integers(2, 9), st.sampled_from(["linear", "spherical"]))
def test_a_path_has_both_ends_and_no_more_steps_than_asked(
    start: np.ndarray, end: np.ndarray, steps: int, method: str
) -> None:
    path = codes.path(start, end, steps, method)  # type: ignore[arg-type]
    assert path.shape == (steps, 4)
    assert (path[0] == start).all()
    assert (path[-1] == end).all()
    assert np.isfinite(path).all()


def test_what_a_path_leads_beyond_float32_is_infinite() -> None:
    start, end = np.array([3e38, 3e38], np.float32), np.array([-3e38, 3e38], np.float32)
    _, (_, between), _ = codes.path(start, end, 3, "spherical")
    assert between == np.inf


def test_a_spherical_path_keeps_its_length_where_a_straight_one_cuts_the_corner() -> None:
    start, end = np.array([3, 0], np.float32), np.array([0, 3], np.float32)
    lengths = np.linalg.norm(codes.path(start, end, 9, "spherical"), axis=1)
    assert lengths == pytest.approx(np.full(9, 3), rel=1e-6)
    assert np.linalg.norm(codes.path(start, end, 3, "linear"), axis=1)[1] == pytest.approx(3 / np.sqrt(2))
    assert codes.path(start, 2 * start, 3, "spherical")[1].tolist() == [4.5, 0]
