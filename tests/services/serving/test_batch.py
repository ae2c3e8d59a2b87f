"""One batch: requests joined, run and split again."""

import threading
from collections.abc import Sequence

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.errors import DeadlineExceeded, Invalid, SyllabusError
from services.serving.batch import Answer, Run, Ticket, run
from services.serving.network import Feeds, Network
from tests.hostile_models import mean_of_rows
from tests.services.serving.engines import floats, later, network_of
from tests.serving_models import addition, endless_below_zero, lookup, mirror, zeros_of_size


def nobody(_: object) -> None:
    """Takes an answer, or an end, and does nothing with it."""


def outcome_of(network: Network, feeds: Sequence[Feeds], options: onnxruntime.RunOptions | None = None) -> Run:
    """What comes of running these requests as one batch."""

    tickets = [Ticket(each, len(next(iter(each.values()))), 0, later(), 0.0, nobody, nobody) for each in feeds]
    return run(network, tickets, options)


def answers(outcome: Run) -> list[Answer]:
    assert all(isinstance(result, Answer) for result in outcome.results), outcome.results
    return [result for result in outcome.results if isinstance(result, Answer)]


MIRROR = network_of(mirror())


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=12), st.integers(0, 2**32 - 1))
def test_each_request_is_answered_as_if_it_were_alone(rows: list[int], seed: int) -> None:
    feeds = [{"x": floats(count, 4, seed=seed + place)} for place, count in enumerate(rows)]
    outcome = outcome_of(MIRROR, feeds)
    assert outcome.is_clean
    for each, answer in zip(feeds, answers(outcome), strict=True):
        expected = MIRROR.session.run(None, each)
        for given_output, expected_output in zip(answer.outputs, expected, strict=True):
            assert given_output.shape == expected_output.shape
            np.testing.assert_allclose(given_output, expected_output, atol=1e-6)


def test_several_inputs_are_each_joined_with_their_own_kind() -> None:
    feeds = [{"b": floats(n, 2, seed=n), "a": floats(n, 2, seed=n + 9)} for n in (1, 3, 2)]
    for each, answer in zip(feeds, answers(outcome_of(network_of(addition()), feeds)), strict=True):
        np.testing.assert_allclose(answer.outputs[0], each["a"] + each["b"])


def test_one_bad_request_fails_alone_and_is_told_nothing_of_the_runtime() -> None:
    outcome = outcome_of(network_of(lookup()), [{"x": np.array([number])} for number in (2, 100, 3)])
    assert not outcome.is_clean
    good, bad, other = outcome.results
    assert isinstance(good, Answer)
    assert isinstance(other, Answer)
    assert (good.outputs[0].tolist(), other.outputs[0].tolist()) == ([4.0], [9.0])
    assert isinstance(bad, Invalid)
    assert bad.code == "inference_failed"
    assert not any(word in bad.detail for word in ("onnxruntime", ".cc", "Gather", "place"))


def test_a_graph_that_gives_another_number_of_rows_is_run_one_by_one() -> None:
    network = network_of(zeros_of_size())
    outcome = outcome_of(network, [{"size": np.array([5])}, {"size": np.array([7])}])
    assert not outcome.is_clean
    assert [answer.outputs[0].tolist() for answer in answers(outcome)] == [0.0, 0.0]


def test_too_much_memory_is_told_from_other_failures() -> None:
    outcome = outcome_of(network_of(zeros_of_size()), [{"size": np.array([2**45])}])
    assert isinstance(outcome.results[0], Invalid)
    assert outcome.results[0].code == "inference_out_of_memory"


@pytest.mark.parametrize("requests", [1, 3])
def test_a_run_that_was_ended_is_not_tried_again(requests: int) -> None:
    options = onnxruntime.RunOptions()
    alarm = threading.Timer(0.1, lambda: setattr(options, "terminate", True))
    alarm.start()
    feeds = [{"x": np.full((1, 2), -1, np.float32)}] * requests
    outcome = outcome_of(network_of(endless_below_zero(), bounded=False), feeds, options)
    assert all(isinstance(result, DeadlineExceeded) for result in outcome.results)
    assert len(outcome.results) == requests
    alarm.join()


def test_a_graph_that_mixes_rows_is_why_registration_asks_whether_they_can_be_joined() -> None:
    """What makes `batchable` matter: joined, these requests would see each other's numbers."""
    network = network_of(mean_of_rows().SerializeToString())
    feeds = [{"x": floats(1, 3, seed=seed)} for seed in range(2)]
    together = [answer.outputs[0] for answer in answers(outcome_of(network, feeds))]
    alone = [answers(outcome_of(network, [each]))[0].outputs[0] for each in feeds]
    assert not np.allclose(together, alone)


def test_errors_are_of_the_tree() -> None:
    outcome = outcome_of(network_of(mirror()), [{"x": floats(1, 7)}])
    assert isinstance(outcome.results[0], SyllabusError)
