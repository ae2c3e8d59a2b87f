"""The greatest of many values, against a stable sort of all."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.serving.ranking import best

FEW = st.sampled_from([0.0, -0.0, 1.0, -2.5, math.inf, -math.inf, math.nan])
"""So that many are equal."""


@given(st.lists(st.one_of(FEW, st.floats()), min_size=1, max_size=60), st.integers(1, 70))
def test_the_places_are_those_of_a_stable_sort(values: list[float], count: int) -> None:
    array = np.array(values)
    assert best(array, count).tolist() == np.argsort(-array, kind="stable")[:count].tolist()
