import math

import numpy as np

from shapes.decimals import shortest


def test_a_number_of_32_bits_has_as_many_digits_as_tell_it_from_others() -> None:
    shown = [shortest(np.float32(number)) for number in (0.3941, 1e-20, 16_777_216, -1 / 3)]
    assert shown == [0.3941, 1e-20, 16_777_216.0, -0.33333334]
    assert shortest(np.float64(1 / 3)) == 1 / 3
    assert shortest(np.int64(3)) == 3
    assert math.isnan(shortest(np.float32("nan")))
