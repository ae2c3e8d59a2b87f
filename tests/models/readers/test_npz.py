"""`npz`: arrays by name, and what is refused."""

import contextlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import JobError
from tests.models.readers.builders import RawZip, ingest, npz_of, refusal, zip_of

IMAGES = np.arange(6 * 5 * 4, dtype=np.uint8).reshape(6, 5, 4)
LABELS = np.array([0, 1, 2, 0, 1, 2])
ROWS = np.arange(12, dtype=np.float64).reshape(6, 2)


@pytest.mark.parametrize("compressed", [False, True])
def test_images_and_labels_are_read(compressed: bool) -> None:
    ingested = ingest(npz_of(compressed, x=IMAGES, y=LABELS))
    assert ingested.manifest["classes"] == ["0", "1", "2"]
    assert np.array_equal(ingested.inputs(), IMAGES[:, None])
    assert ingested.targets().tolist() == LABELS.tolist()


def test_channels_come_first_on_disk() -> None:
    colour = np.arange(6 * 5 * 4 * 3, dtype=np.uint8).reshape(6, 5, 4, 3)
    assert np.array_equal(ingest(npz_of(x=colour, y=LABELS)).inputs(), colour.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    "names",
    [("x_train", "y_train", "x_test", "y_test"), ("train_inputs", "train_targets", "test_inputs", "test_targets")],
)
def test_splits_are_read(names: tuple[str, str, str, str]) -> None:
    ingested = ingest(npz_of(**dict(zip(names, (IMAGES, LABELS, IMAGES[:3], LABELS[:3]), strict=True))))
    assert ingested.counts == {"train": 6, "test": 3}


@pytest.mark.parametrize(
    ("targets", "task", "classes"),
    [
        (np.array([1.5, 2, 3, 4, 5, 6]), "regression", None),
        (np.array([3, 5, 3, 5, 3, 5]), "classification", ["3", "5"]),
        (np.array([0.0, 1, 0, 1, 0, 1]), "classification", ["0", "1"]),
        (np.array([True, False] * 3), "classification", ["0", "1"]),
        (np.array(["a", "b", "c"] * 2), "classification", ["a", "b", "c"]),
        (np.arange(6)[:, None], "regression", None),
    ],
)
def test_the_task_of_a_table_is_inferred(targets: np.ndarray[Any, Any], task: str, classes: list[str] | None) -> None:
    ingested = ingest(npz_of(x=ROWS, y=targets))
    assert (ingested.manifest["task"], ingested.manifest["classes"]) == (task, classes)
    assert ingested.manifest["modality"] == "tabular"
    assert np.array_equal(ingested.inputs(), ROWS.astype(np.float32))
    if classes is not None:
        assert [classes[index] for index in ingested.targets()] == [
            str(np.asarray(y).astype("U1" if targets.dtype.kind == "U" else int)) for y in targets
        ]


@pytest.mark.parametrize("features", [np.asfortranarray(ROWS), ROWS.astype(">f4"), ROWS.astype(np.int16)])
def test_the_layout_and_type_in_memory_are_no_matter(features: np.ndarray[Any, Any]) -> None:
    assert np.array_equal(ingest(npz_of(x=features, y=LABELS)).inputs(), ROWS)


def test_missing_features_stay_nan() -> None:
    rows = ROWS.copy()
    rows[0, 0] = np.nan
    assert np.isnan(ingest(npz_of(x=rows, y=LABELS)).inputs()[0, 0])


def test_inputs_alone_are_unlabelled() -> None:
    assert ingest(npz_of(x=IMAGES)).manifest["task"] is None
    assert ingest(npz_of(x=IMAGES, y=LABELS), target="").manifest["task"] is None


def test_pickled_objects_are_never_loaded() -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (pytest.fail, ("a pickle was loaded",))

    error = refusal(npz_of(x=np.array([Bomb()] * 6, dtype=object), y=LABELS))
    assert error.code == "npz_invalid"


@pytest.mark.parametrize(
    "arrays",
    [
        {"arr_0": IMAGES, "arr_1": LABELS},
        {"y": LABELS},
        {"x": IMAGES, "y": LABELS[:5]},
        {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES},
        {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:, :4], "y_test": LABELS},
        {"x": IMAGES.astype(np.float32), "y": LABELS},
        {"x": IMAGES[..., None, None], "y": LABELS},
        {"x": IMAGES.reshape(6, 5, 2, 2), "y": LABELS},
        {"x": ROWS.astype(complex), "y": LABELS},
        {"x": ROWS * 1e60, "y": LABELS},
        {"x": ROWS, "y": np.eye(6)},
        {"x": ROWS, "y": LABELS.astype("M8[s]")},
        {"x": ROWS[:0], "y": LABELS[:0]},
        {"x": np.float64(3), "y": LABELS},
        {"x": np.ones((6, 10_001)), "y": LABELS},
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any]) -> None:
    assert refusal(npz_of(**arrays)).code == "npz_invalid"


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308])
def test_targets_that_are_no_numbers_are_refused(value: float) -> None:
    assert refusal(npz_of(x=ROWS, y=np.array([1.5, 2, 3, 4, 5, value]))).code == "unsuitable_data"


def test_one_class_only_is_refused() -> None:
    assert refusal(npz_of(x=IMAGES, y=np.zeros(6, int))).code == "unsuitable_data"


def test_too_many_classes_are_refused() -> None:
    error = refusal(npz_of(x=np.zeros((1001, 1)), y=np.arange(1001)), task="classification")
    assert error.code == "unsuitable_data"


def test_text_is_refused_for_regression() -> None:
    assert refusal(npz_of(x=ROWS, y=np.array(["a", "b"] * 3)), task="regression").code == "unsuitable_data"


@pytest.mark.parametrize(
    "shape", [b"(7, 5, 4)", b"(5, 5, 4)", b"(9999999999, 5, 4)", b"(-1, 5, 4)", b"(6, 5, 4.)", b"((((((((("]
)
def test_a_header_that_lies_is_refused(shape: bytes) -> None:
    data = zip_member(npz_of(x=IMAGES)).replace(b"(6, 5, 4)", shape.ljust(9) if len(shape) <= 9 else shape)
    assert refusal(RawZip().add(b"x.npy", data).bytes()).code == "npz_invalid"


def test_a_member_that_is_no_array_is_refused() -> None:
    data = zip_member(npz_of(x=IMAGES))
    assert refusal(zip_of({"x.npy": data, "y.npy": b"text"})).code == "npz_invalid"


def zip_member(npz: bytes) -> bytes:
    """The only `.npy` of an uncompressed npz."""
    begin = npz.index(b"\x93NUMPY")
    return npz[begin : npz.index(b"PK\x01\x02")]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 200), st.binary(min_size=1, max_size=6))
def test_a_damaged_array_is_refused_or_read_but_never_crashes(at: int, junk: bytes) -> None:
    data = bytearray(zip_member(npz_of(x=IMAGES)))
    data[at : at + len(junk)] = junk
    with contextlib.suppress(JobError):
        ingest(RawZip().add(b"x.npy", bytes(data)).bytes(), "npz")
