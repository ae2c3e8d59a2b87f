import pytest
import torch

from models.metrics.neighbours import copying, nearest


def test_the_nearest_of_all_batches_is_found() -> None:
    torch.manual_seed(0)
    x, rows = torch.randn(7, 4), torch.randn(50, 4)
    torch.testing.assert_close(
        nearest(x, iter(torch.split(rows, 8))), torch.cdist(x, rows).amin(dim=1), rtol=1e-4, atol=1e-4
    )


def test_copies_are_told_from_samples_that_are_as_far_as_new_rows() -> None:
    torch.manual_seed(0)
    train, held_out, fresh = torch.randn(3, 200, 8)
    far = nearest(held_out, iter([train]))
    assert not copying(nearest(fresh, iter([train])), far)["memorised"]
    copied = copying(nearest(train[:50] + 0.01, iter([train])), far)
    assert copied["memorised"]
    assert copied["ratio"] < 0.1
    assert copied["samples"] == 50


def test_rows_that_are_all_alike_tell_nothing() -> None:
    verdict = copying(torch.zeros(3), torch.zeros(3))
    assert verdict["ratio"] is None
    assert not verdict["memorised"]
    assert pytest.approx(0.0) == verdict["sample_to_train"]
