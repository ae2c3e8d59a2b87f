"""What is learned of service times, and the batch sizes that follow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.serving.service_times import EXPLORE_EVERY, WINDOW, ServiceTimes, size_class

SIZES = (1, 2, 4, 8, 16, 32, 64)


def table(*milliseconds: float) -> ServiceTimes:
    """What was learned if a batch of 1, 2, 4, ... rows takes so long."""
    times = ServiceTimes(64)
    for rows, each in zip(SIZES, milliseconds, strict=False):
        for _ in range(WINDOW):
            times.record(rows, each / 1000)
    return times


def test_classes_end_at_powers_of_two() -> None:
    assert [size_class(rows) for rows in (1, 2, 3, 4, 5, 8, 9, 64, 65)] == [0, 1, 2, 2, 3, 3, 4, 6, 7]


def test_the_size_with_the_most_rows_a_second_is_chosen() -> None:
    times = table(1.0, 1.2, 1.6, 2.4, 8.0, 16.0, 32.0)  # by the row 1.0, 0.6, 0.4, 0.3, 0.5, 0.5, 0.5
    assert times.choose(64) == 8
    assert times.choose(8) == 8
    assert times.choose(5) == 5
    assert times.choose(2) == 2
    assert times.seconds_per_row == pytest.approx(0.0003)


def test_a_batch_of_one_is_chosen_where_batching_hurts() -> None:
    times = table(*(rows * 1.2 if rows > 1 else 1.0 for rows in SIZES))
    assert {times.choose(waiting) for waiting in range(1, 65)} == {1}


def test_a_size_nobody_tried_is_tried_next_to_the_largest_known() -> None:
    assert table(1.0).choose(64) == 2
    assert table(1.0, 1.1, 1.2).choose(64) == 8


def test_beyond_a_size_that_is_slower_none_is_tried_unasked() -> None:
    assert table(1.0, 1.2, 3.0).choose(64) == 2
    assert table(1.0, 2.2).choose(64) == 1


def test_at_first_nothing_is_known() -> None:
    times = ServiceTimes(64)
    assert times.seconds(1) is None
    assert times.seconds_per_row == 0
    assert 1 <= times.choose(64) <= 2


def test_the_time_of_an_unknown_size_follows_from_the_smaller_ones() -> None:
    times = table(1.0, 1.0)
    assert times.seconds(2) == pytest.approx(0.001)
    assert times.seconds(8) == pytest.approx(0.004)


def test_stragglers_change_nothing() -> None:
    times = table(1.0, 1.2)
    for _ in range((WINDOW - 1) // 2):
        times.record(1, 5.0)
        times.record(2, 5.0)
    assert times.seconds(1) == pytest.approx(0.001)
    assert times.choose(2) == 2


def served(times: ServiceTimes, milliseconds_per_row: dict[int, float], runs: int) -> list[int]:
    """The sizes that are chosen while a long queue is served at these times."""
    chosen = []
    for _ in range(runs):
        rows = times.choose(64)
        chosen.append(rows)
        times.record(rows, rows * milliseconds_per_row[rows] / 1000)
    return chosen


def test_no_verdict_is_for_ever() -> None:
    hurts = {rows: 1.0 if rows == 1 else 2.0 for rows in SIZES}
    times = table(*(rows * hurts[rows] for rows in SIZES))
    chosen = served(times, hurts, 4 * EXPLORE_EVERY)
    assert 1 <= chosen.count(2) <= 8, "it looks again, and seldom"
    helps = {rows: 1.0 / rows for rows in SIZES}
    assert max(served(times, helps, 400 * EXPLORE_EVERY)) == 64, "and changes its mind"


@given(
    st.lists(st.tuples(st.integers(1, 200), st.floats(1e-6, 10)), max_size=100),
    st.integers(1, 10_000),
    st.integers(1, 100),
)
def test_what_is_chosen_is_never_more_than_waits_or_memory_holds(
    runs: list[tuple[int, float]], waiting: int, max_rows: int
) -> None:
    times = ServiceTimes(max_rows)
    for rows, seconds in runs:
        times.record(rows, seconds)
    assert 1 <= times.choose(waiting) <= min(waiting, max_rows)
    expected = times.seconds(waiting)
    assert expected is None or expected > 0


def test_a_busy_machine_does_not_send_quick_batches_to_threads() -> None:
    """All sizes are slow of late, each was as fast by the row: the size that fits is run."""
    times = ServiceTimes(64)
    for _ in range(WINDOW // 2):
        for rows in SIZES[:4]:
            times.record(rows, rows * 0.1e-3)
    for _ in range(WINDOW // 2 + 1):
        for rows in SIZES[:4]:
            times.record(rows, rows * 0.15e-3)
    assert times.choose_within(64, 1e-3) == 4
