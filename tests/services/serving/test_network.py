"""Loaded graphs: what they take and give, and the memory of users' own."""

import numpy as np
import psutil
import pytest
from onnx import TensorProto, helper

from services.errors import Unavailable
from services.serving.network import Network
from services.serving.sessions import UNTRUSTED_ARENA_BYTES
from tests.hostile_models import sequence_output, two_inputs_of_text_and_numbers
from tests.services.serving.engines import floats, network_of
from tests.serving_models import addition, image_classifier, mirror, thirsty, zeros_of_size

TOO_MUCH = r"(?i)memory|allocate"


def zeros(network: Network, megabytes: int) -> None:
    (total,) = network.run({"size": np.array([megabytes * 2**18])})
    assert total == 0


def test_inputs_and_outputs_are_described_in_the_protocols_terms() -> None:
    network = network_of(two_inputs_of_text_and_numbers().SerializeToString())
    described = [(spec.name, spec.datatype, spec.shape) for spec in (*network.inputs, *network.outputs)]
    assert described[:4] == [
        ("words", "BYTES", (-1, -1)),
        ("ids", "INT64", (-1, -1)),
        ("said", "BYTES", (-1, -1)),
        ("same", "INT64", (-1, -1)),
    ]
    assert not network.has_one_shape


@pytest.mark.parametrize(
    ("onnx", "has_one_shape", "row_values"),
    [(mirror(), True, 4), (mirror("L"), False, None), (addition(), True, 4), (image_classifier(), True, 4)],
)
def test_one_shape_is_told_from_several(onnx: bytes, has_one_shape: bool, row_values: int | None) -> None:
    network = network_of(onnx)
    assert network.has_one_shape is has_one_shape
    if row_values is not None:
        assert network.row_bytes >= row_values


def test_what_is_no_tensor_is_not_servable() -> None:
    with pytest.raises(Unavailable) as failure:
        network_of(sequence_output().SerializeToString())
    assert failure.value.code == "model_not_servable"


def test_only_what_ends_for_sure_at_a_known_cost_and_takes_one_thread_runs_on_the_loop() -> None:
    assert network_of(mirror()).runs_inline
    assert not network_of(mirror(), bounded=False).runs_inline
    assert not network_of(mirror(), steady=False).runs_inline
    assert not network_of(mirror(), threads=2).runs_inline


def test_outputs_come_in_their_order() -> None:
    network = network_of(mirror())
    assert network.output_names == ["y", "total"]
    y, total = network.run({"x": floats(3, 4)})
    np.testing.assert_array_equal(y, floats(3, 4)[:, ::-1])
    np.testing.assert_allclose(total, floats(3, 4).sum(axis=1), rtol=1e-6)


def test_users_graphs_share_bounded_memory_that_failing_does_not_use_up() -> None:
    numbers, wide = (network_of(graph, trusted=False) for graph in (zeros_of_size(), thirsty(200)))
    one = np.ones((1, 1), np.float32)
    for _ in range(3):
        with pytest.raises(Exception, match=TOO_MUCH):
            zeros(numbers, UNTRUSTED_ARENA_BYTES // 2**20 + 1)
        assert wide.run({"x": one})[0] == one
        with pytest.raises(Exception, match=TOO_MUCH):
            wide.run({"x": np.ones((8, 1), np.float32)})


def test_ever_larger_pieces_leave_the_shared_memory_whole_and_give_it_back() -> None:
    """Kept for the next run, they would add up to the bound, each too small for whoever needs more."""
    numbers, wide = (network_of(graph, trusted=False) for graph in (zeros_of_size(), thirsty(600)))
    zeros(numbers, 1)
    before = psutil.Process().memory_info().rss
    for megabytes in range(1, 80):
        zeros(numbers, megabytes)
    assert wide.run({"x": np.ones((1, 1), np.float32)})[0] == 1
    zeros(numbers, 1)
    assert psutil.Process().memory_info().rss - before < 200 * 2**20


def test_options_can_be_used_for_several_runs(capfd: pytest.CaptureFixture[str]) -> None:
    for trusted in (True, False):
        network = network_of(mirror(), trusted=trusted)
        options = network.new_options()
        for _ in range(3):
            network.run({"x": floats(1, 4)}, options)
        options.terminate = True
        with pytest.raises(Exception, match=r"(?i)terminate"):
            network.run({"x": floats(1, 4)}, options)
        network.run({"x": floats(1, 4)})
    assert capfd.readouterr() == ("", "")


def test_a_graph_without_inputs_is_described() -> None:
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [3.0])
    node = helper.make_node("Constant", [], ["y"], value=value)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([node], "g", [], [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    network = network_of(model.SerializeToString())
    assert network.inputs == ()
    assert network.run({})[0] == 3
