"""Serving from a GPU, as far as a machine without one can tell."""

import numpy as np
import onnxruntime
import pytest
from structlog.testing import CapturingLogger

from services.serving import cuda
from services.serving.cuda import PROVIDER, CudaNetwork, _padded, choose, network_class, providers
from services.serving.network import Network
from services.serving.service_times import size_class
from services.serving.sessions import open_session
from tests.hostile_models import mean_of_rows
from tests.services.serving.engines import floats, network_of
from tests.serving_models import addition, mirror, zeros_of_size


@pytest.fixture
def has_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ONNX Runtime that was built for CUDA."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [PROVIDER, "CPUExecutionProvider"])


@pytest.fixture
def has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ONNX Runtime that was built without CUDA."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])


@pytest.mark.usefixtures("has_cuda")
def test_a_gpu_is_used_where_there_is_one_and_nobody_says_no() -> None:
    assert [choose(wish) for wish in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]


@pytest.mark.usefixtures("has_none")
def test_without_a_gpu_the_processor_serves_and_a_wish_for_one_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = CapturingLogger()
    monkeypatch.setattr(cuda, "log", recorded)
    assert [choose(wish) for wish in ("auto", "cpu")] == ["cpu", "cpu"]
    assert recorded.calls == []
    assert choose("cuda") == "cpu"
    assert [call.args for call in recorded.calls] == [("serving_from_the_cpu",)]


def test_what_the_gpu_cannot_run_falls_to_the_processor() -> None:
    assert providers("cpu") == ["CPUExecutionProvider"]
    (first, options), last = providers("cuda")
    assert first == PROVIDER
    assert last == "CPUExecutionProvider"
    assert options["cudnn_conv_algo_search"] == "HEURISTIC"


@pytest.mark.filterwarnings("ignore:Specified provider 'CUDAExecutionProvider'")
def test_a_session_that_did_not_get_the_gpu_runs_on_the_processor() -> None:
    session = open_session(mirror(), threads=1, device="cuda")
    if PROVIDER in session.get_providers():
        pytest.skip("this machine has a GPU")
    assert network_class(session) is Network


def cuda_network(onnx: bytes, *, batchable: bool = True) -> CudaNetwork:
    session = network_of(onnx).session
    return CudaNetwork(session, threads=1, concurrency=8, batchable=batchable, bounded=True, num_bytes=1)


def test_runs_on_a_gpu_are_one_at_a_time_and_not_on_the_loop() -> None:
    network = cuda_network(mirror())
    assert network.concurrency == 1
    assert not network.runs_inline


@pytest.mark.parametrize(
    ("onnx", "fixed"), [(mirror(), True), (addition(), True), (mirror("L"), False), (zeros_of_size(), False)]
)
def test_buffers_are_kept_where_the_number_of_rows_tells_all_sizes(onnx: bytes, fixed: bool) -> None:
    assert cuda_network(onnx)._has_fixed_buffers is fixed


def test_rows_are_added_only_where_they_change_nothing() -> None:
    """A graph whose answers depend on the neighbours would see the zeros of the padding."""
    assert not cuda_network(mirror(), batchable=False)._has_fixed_buffers
    graph = mean_of_rows().SerializeToString()
    feeds = {"x": floats(3, 3)}
    np.testing.assert_allclose(
        cuda_network(graph, batchable=False).run(feeds)[0], feeds["x"] - feeds["x"].mean(axis=0), atol=1e-6
    )


def test_a_network_without_kept_buffers_runs_as_every_other() -> None:
    feeds = {"x": floats(2, 7)}
    np.testing.assert_array_equal(cuda_network(mirror("L")).run(feeds)[0], feeds["x"][:, ::-1])


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8])
def test_a_batch_is_padded_to_its_bucket_with_zeros(rows: int) -> None:
    size = 1 << size_class(rows)
    array = floats(rows, 3)[:, ::-1]
    padded = _padded(array, size)
    assert padded.shape == (size, 3)
    assert padded.flags.c_contiguous
    np.testing.assert_array_equal(padded[:rows], array)
    assert not padded[rows:].any()
