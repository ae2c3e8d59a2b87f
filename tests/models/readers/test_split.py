"""Splits that are carved at ingest."""

import numpy as np
import pytest

from tests.models.readers.builders import ingest, mnist_files, refusal, zip_of


def table(count: int) -> bytes:
    return b"a,kind\n" + b"".join(b"%d,%s\n" % (i, b"xyzz"[i % 4 : i % 4 + 1]) for i in range(count))


def test_shares_of_every_class_are_set_aside() -> None:
    ingested = ingest(table(200), split={"test": 0.2, "validation": 0.1})
    assert ingested.counts == {"train": 140, "validation": 20, "test": 40}
    assert ingested.manifest["class_counts"] == {"train": [35, 35, 70], "validation": [5, 5, 10], "test": [10, 10, 20]}


def test_every_sample_keeps_its_target_and_is_in_one_split() -> None:
    ingested = ingest(table(100), split={"test": 0.3})
    rows = np.concatenate([ingested.inputs(split)[:, 0] for split in ("train", "test")])
    targets = np.concatenate([ingested.targets(split) for split in ("train", "test")])
    assert sorted(rows.tolist()) == list(range(100))
    assert targets.tolist() == [[0, 1, 2, 2][int(row) % 4] for row in rows]


def test_the_same_upload_is_split_the_same_way() -> None:
    first, second = (ingest(table(50), split={"test": 0.2}) for _ in range(2))
    assert first.manifest["digest"] == second.manifest["digest"]


def test_data_without_classes_is_split_too() -> None:
    ingested = ingest(table(20), target="", split={"validation": 0.5})
    assert ingested.counts == {"train": 10, "validation": 10}


def test_a_missing_split_is_carved_beside_one_that_the_upload_brings() -> None:
    ingested = ingest(zip_of(mnist_files(train=12, test=6)), split={"validation": 0.25})
    assert ingested.counts == {"train": 9, "validation": 3, "test": 6}


def test_a_split_that_the_upload_brings_is_not_carved_again() -> None:
    assert refusal(zip_of(mnist_files()), split={"test": 0.2}).code == "options_invalid"


def test_too_few_samples_for_a_share_are_refused() -> None:
    error = refusal(table(4), split={"test": 0.1})
    assert error.code == "unsuitable_data"
    assert "`split`" in error.detail


@pytest.mark.parametrize(
    "split",
    [{"test": 0.6}, {"test": 0.5, "validation": 0.5}, {"train": 0.5}, {"test": -0.1}, {"test": float("nan")}, [0.2]],
)
def test_shares_that_leave_nothing_or_make_no_sense_are_refused(split: object) -> None:
    assert refusal(table(50), split=split).code == "options_invalid"
