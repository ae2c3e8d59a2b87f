"""BLEU by sacrebleu's definition, and exact matches."""

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from models.metrics.translation import sentence_bleu, translation_intervals, translation_resamples, translation_scores

TRUE = np.array(["the cat sat on the mat today", "hello", "there is a dog in the house ."], object)
WRITTEN = np.array(["the cat sat on a mat today", "hello", "there was a dog in the house ."], object)


def test_bleu_is_sacrebleus_of_the_corpus() -> None:
    scores = translation_scores(TRUE, WRITTEN)
    assert scores["bleu"] == pytest.approx(BLEU().corpus_score(WRITTEN.tolist(), [TRUE.tolist()]).score)
    assert scores["exact_match"] == pytest.approx(1 / 3)
    assert translation_scores(TRUE, TRUE) == {"bleu": pytest.approx(100), "exact_match": 1}


def test_bleu_of_a_known_pair() -> None:
    """Of 7, 6, 5, 4 in a row 6, 4, 2, 1 are right: the geometric mean of their shares."""
    share = (6 / 7 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25
    assert translation_scores(TRUE[:1], WRITTEN[:1])["bleu"] == pytest.approx(100 * share)


def test_texts_of_few_words_have_no_bleu() -> None:
    words = np.array(["2001", "yes"], object)
    assert translation_scores(words, words) == {"exact_match": 1.0, "bleu": None}
    assert set(translation_resamples(words, words)) == {"exact_match"}


def test_intervals_hold_the_metric_and_resamples_are_paired() -> None:
    true = np.tile(TRUE, 30)
    written = np.where(np.arange(len(true)) % 4 == 0, true, np.tile(WRITTEN, 30))
    scores, intervals = translation_scores(true, written), translation_intervals(true, written)
    for name, (low, high) in intervals.items():
        assert low < scores[name] < high
    better, worse = translation_resamples(true, true), translation_resamples(true, written)
    assert (better["bleu"] > worse["bleu"]).all()


def test_the_worst_text_has_the_least_bleu_of_its_own() -> None:
    own = sentence_bleu(TRUE, np.array([TRUE[0], "bye", WRITTEN[2]], object))
    assert own.tolist() == [pytest.approx(100), 0, pytest.approx(70.71, abs=0.01)]
