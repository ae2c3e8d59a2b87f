import numpy as np
import pytest
import torch

from models.examples import BUCKET_BATCHES, Examples
from models.ragged import Ragged

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4), dtype=np.uint8)
CLASSES = np.arange(40) % 4


def sequences(count: int, longest: int = 50) -> Ragged:
    """Rows of their own number, of any length from 1."""
    lengths = np.random.default_rng(0).integers(1, longest + 1, count)
    return Ragged.of([np.full(length, row + 1) for row, length in enumerate(lengths)], np.int64)


def test_rows_of_varying_length_are_padded_to_the_longest_of_their_batch() -> None:
    rows = Ragged.of(map(np.array, ([1, 2, 3], [4], [5, 6])), np.int64)
    examples = Examples(rows, np.array([0, 1, 2]), np.array([1, 2]))
    assert examples.input_shape == (2,)
    assert examples.gather(torch.tensor([0])).inputs.tolist() == [[4]]
    batch = examples.gather(torch.tensor([1, 0]))
    assert (batch.inputs.tolist(), batch.targets.tolist()) == ([[5, 6], [4, 0]], [2, 1])
    assert batch.inputs.dtype == torch.int64
    assert [batch.inputs.tolist() for batch in examples.batches(1)] == [[[4]], [[5, 6]]]


def test_the_longest_row_represents_the_others() -> None:
    rows = sequences(100)
    examples = Examples(rows, None, np.arange(100))
    places = examples.representatives(32)
    assert places[:-1].tolist() == list(range(31))
    assert rows.lengths[places[-1]] == rows.lengths.max()
    assert Examples(IMAGES, CLASSES, np.arange(40)).representatives(32).tolist() == list(range(32))


@pytest.mark.parametrize("count", [1, 7, 16, 1000, 16 * BUCKET_BATCHES + 1])
def test_rows_of_near_length_meet_and_each_is_taken_once(count: int) -> None:
    rows, size = sequences(count), 16
    examples = Examples(rows, None, np.arange(count))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(3))
    arranged = examples.arranged(order, size)
    assert sorted(arranged.tolist()) == list(range(count))
    assert arranged.tolist() == examples.arranged(order, size).tolist()

    def padding(order: torch.Tensor) -> int:
        return sum(int((examples.gather(index).inputs == 0).sum()) for index in torch.split(order, size))

    assert padding(arranged) <= padding(order)
    if count == 1000:
        assert padding(arranged) < 0.2 * padding(order)


def test_the_order_of_rows_of_one_shape_is_kept() -> None:
    order = torch.randperm(40, generator=torch.Generator().manual_seed(3))
    assert Examples(IMAGES, CLASSES, np.arange(40)).arranged(order, 8) is order
