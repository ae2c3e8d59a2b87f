"""Data set directories for the tests of the training engine, from scikit-learn's bundled data."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn import datasets

from tests.models.running import write_data_set


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Tests run beside each other; threads that wait for each other's cores make them slow."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,797 images of 8×8 in ten classes, without splits."""
    bunch = datasets.load_digits()
    images = (bunch.images * 255 / 16).round().astype(np.uint8)[:, None]
    directory = tmp_path_factory.mktemp("data") / "digits"
    return write_data_set(directory, {"train": (images, bunch.target)}, classes=[str(k) for k in range(10)])


@pytest.fixture(scope="session")
def few_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 of the digits, for tests that need many short runs."""
    bunch = datasets.load_digits()
    images = (bunch.images[:200] * 255 / 16).round().astype(np.uint8)[:, None]
    directory = tmp_path_factory.mktemp("data") / "few"
    return write_data_set(directory, {"train": (images, bunch.target[:200])}, classes=[str(k) for k in range(10)])


@pytest.fixture(scope="session")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """150 rows of 4 columns in three classes."""
    bunch = datasets.load_iris()
    directory = tmp_path_factory.mktemp("data") / "iris"
    rows = bunch.data.astype(np.float32)
    return write_data_set(directory, {"train": (rows, bunch.target)}, classes=list(bunch.target_names))


@pytest.fixture(scope="session")
def breast_cancer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """569 rows of 30 columns in two classes."""
    bunch = datasets.load_breast_cancer()
    directory = tmp_path_factory.mktemp("data") / "breast_cancer"
    rows = bunch.data.astype(np.float32)
    return write_data_set(directory, {"train": (rows, bunch.target)}, classes=list(bunch.target_names))


@pytest.fixture(scope="session")
def diabetes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """442 rows of 10 columns and a number to predict."""
    bunch = datasets.load_diabetes()
    directory = tmp_path_factory.mktemp("data") / "diabetes"
    return write_data_set(directory, {"train": (bunch.data.astype(np.float32), bunch.target.astype(np.float32))})
