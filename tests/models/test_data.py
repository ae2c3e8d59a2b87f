from pathlib import Path

import numpy as np
import pytest
import torch

from models.data import DataSet, padded_targets, require_learnable
from models.errors import UnsuitableData
from models.examples import Examples
from models.ragged import Ragged
from models.training.settings import Split
from tests.models.running import Array, write_data_set
from tests.models.test_examples import sequences

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4), dtype=np.uint8)
CLASSES = np.arange(40) % 4


@pytest.mark.parametrize("in_memory", [True, False])
def test_rows_are_gathered_from_memory_and_from_the_mapped_file_alike(tmp_path: Path, in_memory: bool) -> None:
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (IMAGES, CLASSES)}, classes=list("abcd")))
    rows = np.arange(10, 40)
    examples = Examples(dataset.inputs("train"), dataset.targets("train"), rows, in_memory=in_memory)
    batch = examples.gather(torch.tensor([29, 0, 7]))
    np.testing.assert_array_equal(batch.inputs, IMAGES[[39, 10, 17]])
    assert batch.targets.tolist() == [3, 2, 1]
    assert [len(batch.targets) for batch in examples.batches(16)] == [16, 14]


def test_a_data_set_larger_than_the_limit_stays_in_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = write_data_set(tmp_path / "d", {"train": (IMAGES, CLASSES)}, classes=list("abcd"))
    assert DataSet.open(directory).in_memory
    monkeypatch.setattr("models.data.IN_MEMORY_BYTES", 100)
    assert not DataSet.open(directory).in_memory


def test_a_sources_own_splits_are_taken_as_they_are(tmp_path: Path) -> None:
    splits: dict[str, tuple[Array, Array | None]] = {"train": (IMAGES, CLASSES), "test": (IMAGES[:8], CLASSES[:8])}
    dataset = DataSet.open(write_data_set(tmp_path / "d", splits, classes=list("abcd")))
    divided = dataset.divided(Split(validation=0.25))
    assert {name: len(examples) for name, examples in divided.items()} == {"train": 30, "validation": 10, "test": 8}


def test_an_unlabelled_data_set_has_no_targets(tmp_path: Path) -> None:
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (IMAGES, None)}))
    assert dataset.targets("train") is None
    assert len(dataset.examples("train")) == 40


def test_the_targets_of_a_split_are_read_once_for_all_parts(tmp_path: Path) -> None:
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (IMAGES, CLASSES)}, classes=list("abcd")))
    assert dataset.targets("train") is dataset.targets("train")


def test_the_length_of_an_input_is_known_without_training_rows(tmp_path: Path) -> None:
    directory = write_data_set(tmp_path / "d", {"train": (IMAGES, CLASSES)}, classes=list("abcd"))
    dataset = DataSet.open(directory)
    dataset.manifest["splits"] = {"test": {"count": 40}}
    for which in ("inputs", "targets"):
        (directory / f"train.{which}.npy").rename(directory / f"test.{which}.npy")
    assert dataset.num_inputs == 16


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (IMAGES, CLASSES * 0)}, classes=["a", "b"]))
    with pytest.raises(UnsuitableData, match="one class"):
        require_learnable(dataset, dataset.examples("train"))


@pytest.mark.parametrize(
    ("targets", "message"),
    [([1.0] * 5, "same target"), ([np.nan] * 5, "missing"), ([1.0, 2.0, np.inf, 3.0, 4.0], "1 of 5")],
)
def test_a_target_without_information_is_refused(tmp_path: Path, targets: list[float], message: str) -> None:
    rows = np.zeros((5, 2), np.float32)
    dataset = DataSet.open(write_data_set(tmp_path / "d", {"train": (rows, np.array(targets, np.float32))}))
    with pytest.raises(UnsuitableData, match=message):
        require_learnable(dataset, dataset.examples("train"))


def test_targets_of_varying_length_are_padded_and_cut_to_the_longest_of_their_batch(tmp_path: Path) -> None:
    tags = Ragged.of(map(np.array, ([0, 1, 2], [], [2, 0])), np.int64)
    np.save(tmp_path / "train.targets.npy", tags.values)
    np.save(tmp_path / "train.targets.offsets.npy", tags.offsets)
    dataset = DataSet(tmp_path, {"target": {"name": "tags", "dtype": "int64", "shape": [None]}})
    targets = dataset.targets("train")
    assert targets is not None
    assert targets.dtype == np.int8
    assert targets.tolist() == [[0, 1, 2], [-1, -1, -1], [2, 0, -1]]
    examples = Examples(sequences(3), targets, np.array([2, 1, 0]))
    assert examples.known_targets.tolist() == [2, 0, 0, 1, 2]
    batch = examples.gather(torch.tensor([0, 1]))
    assert (batch.targets.tolist(), batch.targets.dtype) == ([[2, 0], [-1, -1]], torch.int64)
    assert examples.gather(torch.tensor([2, 0])).targets.tolist() == [[0, 1, 2], [2, 0, -1]]
    assert examples.gather(torch.tensor([1])).targets.shape == (1, 0)


@pytest.mark.parametrize(("largest", "dtype"), [(127, np.int8), (128, np.int16), (40_000, np.int32)])
def test_targets_of_varying_length_take_as_few_bytes_as_hold_them(largest: int, dtype: type) -> None:
    targets = padded_targets(Ragged.of([np.array([largest, 0]), np.array([1])], np.int64))
    assert targets.dtype == dtype
    assert targets.tolist() == [[largest, 0], [1, -1]]


def test_padding_is_no_class_to_learn_from() -> None:
    with pytest.raises(UnsuitableData, match="same target"):
        require_learnable(
            DataSet(Path(), {"classes": None}), Examples(sequences(2), np.array([[1, 1], [1, -1]]), np.arange(2))
        )
