import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import UnsuitableData
from models.splits import hold_out
from models.training.settings import Split

BOTH = {"validation", "test"}


@given(
    sizes=st.lists(st.integers(1, 200), min_size=1, max_size=5).filter(lambda sizes: sum(sizes) >= 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_row_is_in_one_split_and_classes_keep_their_proportions(sizes: list[int], seed: int) -> None:
    classes = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))
    split = Split(validation=0.1, test=0.2, seed=seed)
    parts = hold_out(len(classes), classes, split, BOTH)
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(classes)))
    assert len(parts["test"]) == round(0.2 * len(classes))
    assert len(parts["validation"]) == round(0.1 * len(classes))
    for label, size in enumerate(sizes):
        # A class of one or two rows stays in training, and its share goes to the others.
        assert abs((classes[parts["test"]] == label).sum() - 0.2 * size) <= 1 + 0.5 * len(sizes)


def test_the_same_seed_holds_out_the_same_rows() -> None:
    first, again, other = (hold_out(100, None, Split(seed=seed), BOTH)["test"] for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_only_what_the_source_lacks_is_held_out() -> None:
    parts = hold_out(100, None, Split(validation=0.25), {"validation"})
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 75, "validation": 25}


def test_a_share_of_nothing_holds_nothing_out() -> None:
    assert set(hold_out(5, None, Split(validation=0.0, test=0.0), BOTH)) == {"train"}


@pytest.mark.parametrize(
    ("count", "split"), [(2, Split()), (3, Split(validation=0.5, test=0.5)), (1, Split(validation=0, test=0))]
)
def test_too_few_rows_are_refused_with_the_remedy(count: int, split: Split) -> None:
    with pytest.raises(UnsuitableData, match="rows"):
        hold_out(count, None, split, BOTH)
