"""The most frequent tag of each word."""

import numpy as np

from models.baselines.words import MostFrequentTags


def test_each_word_has_its_most_frequent_tag_and_a_new_one_the_most_frequent_of_all() -> None:
    rows = [["a", "b", "a"], ["a", "c"]]
    known = MostFrequentTags(rows, np.array([[0, 1, 0], [2, 1, -1]]))
    answers = known.answer([["a", "x"], ["b", "B", "c"]], (2, 3))
    assert answers[:, :, 0].tolist() == [[0, 0, -1], [1, 0, 1]]
    np.testing.assert_allclose(answers[:, :, 1], [[2 / 3, 2 / 5, -1], [1, 2 / 5, 1]])
