import pytest

from client import cells


@pytest.mark.parametrize(
    ("size", "text"),
    [(None, ""), (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (5_300_000, "5.3 MB"), (10**16, "10000.0 TB")],
)
def test_sizes_are_in_powers_of_a_thousand(size: int | None, text: str) -> None:
    assert cells.byte_size(size) == text
