"""The formulas against what torch makes of an input."""

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch.nn import functional as F

from shapes.sizes import slid, transposed

SIDES = st.integers(1, 20)
KERNELS = st.integers(1, 6)
SMALL = st.integers(1, 4)


@given(n=SIDES, f=KERNELS, s=SMALL, p=st.integers(0, 4), d=SMALL)
def test_a_convolution_slides_as_torchs_does(n: int, f: int, s: int, p: int, d: int) -> None:
    expected = slid(n, f, s, p, d)
    if expected < 1:
        with pytest.raises(RuntimeError):
            F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, f), stride=s, padding=p, dilation=d)
    else:
        result = F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, f), stride=s, padding=p, dilation=d)
        assert result.shape[2] == expected


@given(n=SIDES, f=KERNELS, s=SMALL, p=st.integers(0, 3))
def test_pooling_slides_as_torchs_does(n: int, f: int, s: int, p: int) -> None:
    assume(p <= f // 2 and slid(n, f, s, p) >= 1)
    image = torch.zeros(1, 1, n, n)
    for pool in (F.max_pool2d, F.avg_pool2d):
        assert pool(image, f, s, p).shape[2:] == (slid(n, f, s, p),) * 2


@given(n=SIDES, f=KERNELS, s=SMALL, p=st.integers(0, 4), d=SMALL, extra=st.integers(0, 3))
def test_a_transposed_convolution_enlarges_as_torchs_does(n: int, f: int, s: int, p: int, d: int, extra: int) -> None:
    expected = transposed(n, f, s, p, d, extra)
    assume(expected >= 1 and extra < max(s, d))
    result = F.conv_transpose1d(
        torch.zeros(1, 1, n), torch.zeros(1, 1, f), stride=s, padding=p, output_padding=extra, dilation=d
    )
    assert result.shape[2] == expected


@given(n=SIDES, f=KERNELS, s=SMALL, p=st.integers(0, 4), d=SMALL)
def test_a_transposed_convolution_undoes_the_size_of_a_convolution(n: int, f: int, s: int, p: int, d: int) -> None:
    size = slid(n, f, s, p, d)
    assume(size >= 1)
    assert transposed(size, f, s, p, d, output_padding=(n + 2 * p - d * (f - 1) - 1) % s) == n


def test_the_sizes_of_the_worked_examples() -> None:
    assert slid(7, 3, s=2) == 3
    assert slid(5, 2) == 4
    assert slid(224, 7, s=2, p=3) == 112
