"""From a file to a network that is ready."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from services.errors import Unavailable
from services.serving import loading
from services.serving.loading import MAX_ROWS, load, new_times, warm_up, zeros
from services.serving.network import Network
from tests.hostile_models import two_inputs_of_text_and_numbers
from tests.services.serving.engines import floats, network_of, served
from tests.serving_models import (
    endless_below_zero,
    endless_by_size,
    image_classifier,
    image_signature,
    lookup,
    mirror,
    slow,
    tensors_signature,
    thirsty,
)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway that does not wait half a minute for an endless run."""
    monkeypatch.setattr(loading, "FIRST_RUN_SECONDS", 0.3)


def never_ending() -> bytes:
    """A loop that zeros do not end."""
    model = onnx.load_from_string(endless_below_zero())
    for node in model.graph.node:
        if node.op_type == "Less":
            node.op_type = "LessOrEqual"
    return bytes(model.SerializeToString())


def test_a_model_is_ready_measured_and_warm(tmp_path: Path) -> None:
    network, times = load(served(tmp_path, image_classifier(), image_signature()), 2, "cpu")
    assert network.batchable
    assert network.threads == 1
    assert network.runs_inline
    assert times.seconds(1) is not None
    assert times.seconds(8) is not None
    assert 0 < times.seconds_per_row < 0.1


def test_a_missing_altered_or_broken_file_is_unavailable(tmp_path: Path) -> None:
    model = served(tmp_path, mirror())
    for broken, code in (
        (replace(model, path=tmp_path / "none"), "model_file_missing"),
        (replace(model, sha256="0" * 64), "model_file_altered"),
        (served(tmp_path, b"no graph"), "model_not_loadable"),
        (served(tmp_path, mirror()[:-20]), "model_not_loadable"),
    ):
        with pytest.raises(Unavailable) as failure:
            load(broken, 2, "cpu")
        assert failure.value.code == code
    load(model, 2, "cpu")


@pytest.mark.usefixtures("impatient")
def test_a_model_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as failure:
        load(served(tmp_path, never_ending(), bounded=False), 2, "cpu")
    assert failure.value.code == "model_does_not_answer"


@pytest.mark.usefixtures("impatient")
def test_a_model_that_does_not_end_for_several_rows_is_never_given_them_together(tmp_path: Path) -> None:
    network, times = load(served(tmp_path, endless_by_size(), bounded=False), 2, "cpu")
    assert times.choose(64) == 1
    assert network.run({"x": np.ones((1, 2), np.float32)})[0].tolist() == [[1, 1]]


def test_a_model_that_many_rows_need_too_much_memory_of_is_given_fewer(tmp_path: Path) -> None:
    network, times = load(served(tmp_path, thirsty(200), trusted=False), 2, "cpu")
    assert 1 <= times.choose(64) <= 5
    assert network.run({"x": np.ones((times.choose(64), 1), np.float32)})[0].max() == 1


def test_a_model_that_refuses_zeros_is_loaded_all_the_same(tmp_path: Path) -> None:
    network, times = load(served(tmp_path, lookup(offset=-20)), 2, "cpu")
    assert times.seconds(1) is None
    assert network.run({"x": np.array([23])})[0].tolist() == [9.0]


def test_a_model_of_many_shapes_is_loaded_without_being_measured(tmp_path: Path) -> None:
    network, times = load(served(tmp_path, mirror("L")), 2, "cpu")
    assert not network.has_one_shape
    assert times.seconds(1) is None


@pytest.mark.parametrize(("batchable", "most"), [(True, MAX_ROWS), (False, 1)])
def test_only_rows_that_can_be_joined_are_measured_together(tmp_path: Path, batchable: bool, most: int) -> None:
    network, times = load(served(tmp_path, mirror(), tensors_signature(batchable=batchable)), 2, "cpu")
    assert network.batchable is batchable
    assert times.max_rows == most


def test_a_quick_model_takes_one_thread_a_run(tmp_path: Path) -> None:
    network, _ = load(served(tmp_path, mirror()), 4, "cpu")
    assert (network.threads, network.concurrency) == (1, 4)


@pytest.mark.parametrize("alone_is_faster", [True, False])
def test_a_slow_model_takes_all_threads_if_that_answers_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone_is_faster: bool
) -> None:
    seconds = {1: 0.04, 2: 0.01 if alone_is_faster else 0.03}
    monkeypatch.setattr(loading, "_fastest", lambda network, rows, *_: seconds[network.threads] * rows)
    monkeypatch.setattr(loading, "_seconds_a_row_side_by_side", lambda network, runs, _: 0.02)
    network, times = load(served(tmp_path, slow(turns=2)), 2, "cpu")
    assert (network.threads, network.concurrency) == ((2, 1) if alone_is_faster else (1, 2))
    np.testing.assert_array_equal(network.run({"x": floats(2, 4)})[0], floats(2, 4))
    assert times.seconds(1) == seconds[network.threads]


def test_threads_are_measured_for_a_slow_model(tmp_path: Path) -> None:
    network, times = load(served(tmp_path, slow()), 2, "cpu")
    assert network.threads in (1, 2)
    assert times.seconds(1) is not None
    np.testing.assert_array_equal(network.run({"x": floats(3, 4)})[0], floats(3, 4))


def test_measuring_stops_where_larger_batches_are_slower_by_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def measured(network: Network, rows: int, *_: float) -> float:
        tried.append(rows)
        return 0.001 * rows * (1.0 if rows <= 4 else 1.5)

    monkeypatch.setattr(loading, "_fastest", measured)
    times = warm_up(network_of(mirror()))
    assert tried == [1, 2, 4, 8, 16]
    assert times.choose(64) == 4


def test_zeros_fit_every_kind_of_input() -> None:
    network = network_of(two_inputs_of_text_and_numbers().SerializeToString())
    feeds = zeros(network, 3)
    assert {name: array.shape for name, array in feeds.items()} == {"words": (3, 1), "ids": (3, 1)}
    said, same, total = network.run(feeds)
    assert said.tolist() == [[""]] * 3
    assert same.sum() == total == 0


def test_a_batch_of_large_rows_is_bounded_by_memory() -> None:
    assert new_times(network_of(mirror(2**20))).max_rows == 8
    assert new_times(network_of(mirror(2**26))).max_rows == 1
