from pathlib import Path

import pytest

from models.baselines.terms import Terms
from models.data import DataSet
from tests.models.running import ingested, zipped


@pytest.fixture
def words(tmp_path: Path) -> DataSet:
    files = {"train/a.txt": "abc\nabd", "train/b.txt": "xy zab\ne\u0301", "test/a.txt": "Q\nab"}
    return DataSet.open(ingested(tmp_path, zipped(files), format="auto"))


def test_strings_of_up_to_four_letters_are_weighed_within_words(words: DataSet) -> None:
    terms = Terms.fitted(words, words.examples("train"))
    known = terms.vectorizer.vocabulary_.keys()
    assert {"abc", " abc", "abd ", "xy ", " zab", "\u00e9"} <= known
    assert not {"y z", "y za", " abc "} & known
    assert f"of {len(known)} strings" in terms.detail
    train = terms.of(words.examples("train"))
    assert train.shape == (4, len(known))
    abc, abd = train[:2].toarray()
    vocabulary = terms.vectorizer.vocabulary_
    assert abc[vocabulary["abc"]] > abc[vocabulary["ab"]] == pytest.approx(abd[vocabulary["ab"]])


def test_letters_that_training_does_not_have_say_nothing(words: DataSet) -> None:
    terms = Terms.fitted(words, words.examples("train"))
    unknown, known = terms.of(words.examples("test")).toarray()
    assert unknown.nonzero()[0].tolist() == [terms.vectorizer.vocabulary_[" "]]
    assert known[terms.vectorizer.vocabulary_["ab"]] > 0


def test_of_a_tree_its_words_are_read_and_not_its_labels(tmp_path: Path) -> None:
    upload = "(7 (8 nice) (7 day))\n(8 (7 sad) (8 day))\n(7 day)"
    dataset = DataSet.open(ingested(tmp_path, upload.encode(), format="trees"))
    known = Terms.fitted(dataset, dataset.examples("train")).vectorizer.vocabulary_
    assert "nice" in known
    assert not any(letter in term for term in known for letter in "78()")
