from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from models.errors import JobError
from models.explanation.dreaming import Ascent, dream, imagine
from models.explanation.subject import Subject

SIGNATURE = {"modality": "image", "labels": ["a", "b"], "input": {"shape": [1, 8, 8]}}
DO_NOTHING: Callable[[], None] = lambda: None  # noqa: E731


def ascent(**options: float) -> Ascent:
    return Ascent(**{"steps": 10, "learning_rate": 4.0, "octaves": 3, "octave_scale": 1.5, "seed": 0, **options})  # type: ignore[arg-type]


def subject_of(*layers: nn.Module) -> Subject:
    network = nn.Sequential(*layers).eval().requires_grad_(False)
    return Subject(nn.Identity(), network, "made", SIGNATURE)


@pytest.fixture
def edges() -> Subject:
    """A convolution with an edge across in channel 0 and the mean in channel 1, and a mean of each."""
    convolution = nn.Conv2d(1, 2, 3, bias=False)
    with torch.no_grad():
        convolution.weight[0, 0] = torch.tensor([[1.0] * 3, [0.0] * 3, [-1.0] * 3])
        convolution.weight[1, 0] = 1 / 9
    return subject_of(convolution, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def grey() -> torch.Tensor:
    return 128 + 4 * torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def test_a_dream_grows_by_octaves_and_raises_what_it_is_to_raise(edges: Subject) -> None:
    found = dream(edges, edges.layer("0"), None, grey(), ascent(), DO_NOTHING)
    assert found.picture.shape == (1, 1, 18, 18)
    assert found.after > found.before
    assert (float(found.picture.min()) >= 0, float(found.picture.max()) <= 255) == (True, True)


def test_the_chosen_channel_decides_what_is_seen(edges: Subject) -> None:
    brighter = dream(edges, edges.layer("0"), 1, grey(), ascent(octaves=1), DO_NOTHING)
    assert float(brighter.picture.mean()) > 160  # 10 steps of 4 grey levels, all of them up
    assert brighter.after - brighter.before == pytest.approx(float((brighter.picture - brighter.start).mean()), abs=10)
    edge = dream(edges, edges.layer("0"), 0, grey(), ascent(octaves=1), DO_NOTHING)
    assert abs(float(edge.picture.mean()) - 128) < 10
    assert edge.after > edge.before + 20


def test_a_class_grows_from_noise_at_the_size_of_the_input() -> None:
    weights = torch.zeros(2, 64)
    weights[1, :32], weights[1, 32:] = 1.0, -1.0  # class b: bright above, dark below
    linear = nn.Linear(64, 2, bias=False)
    linear.weight = nn.Parameter(weights)
    found = imagine(subject_of(nn.Flatten(), linear), 1, ascent(), DO_NOTHING)
    assert found.picture.shape == (1, 1, 8, 8)
    assert found.after > found.before
    upper, lower = found.picture[0, 0, :3].mean(), found.picture[0, 0, 5:].mean()
    assert float(upper - lower) > 60


def test_the_seed_decides(edges: Subject) -> None:
    pictures = [
        dream(edges, edges.layer("0"), None, grey(), ascent(seed=seed), DO_NOTHING).picture for seed in (0, 0, 1)
    ]
    assert torch.equal(pictures[0], pictures[1])
    assert not torch.equal(pictures[0], pictures[2])


def test_what_lies_behind_the_layer_is_not_computed(edges: Subject) -> None:
    subject = subject_of(edges.network.get_submodule("0"), nn.Flatten(), nn.Linear(72, 2))
    assert dream(subject, subject.layer("0"), None, grey(), ascent(), DO_NOTHING).picture.shape[2] == 18


def test_a_layer_that_takes_one_size_is_refused_unless_there_is_one_octave() -> None:
    subject = subject_of(nn.Flatten(), nn.Linear(64, 64), nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 2, 3), nn.Flatten())
    layer = subject.layer("3")
    with pytest.raises(JobError, match=r"deepdream\.octaves"):
        dream(subject, layer, None, grey(), ascent(), DO_NOTHING)
    assert dream(subject, layer, None, grey(), ascent(octaves=1), DO_NOTHING).picture.shape[2] == 8


def test_octaves_lead_up_to_a_size_or_up_from_it() -> None:
    assert ascent(octave_scale=2.0).sizes((8, 12), growing=True) == [(8, 12), (16, 24), (32, 48)]
    assert ascent(octave_scale=2.0).sizes((32, 48), growing=False) == [(8, 12), (16, 24), (32, 48)]
    assert ascent(octave_scale=2.0, octaves=8).sizes((100, 200), growing=True)[-1] == (200, 400)  # not beyond 512
    assert ascent(octave_scale=2.0).sizes((600, 800), growing=True) == [(600, 800)]
    assert ascent(octave_scale=2.0, octaves=4).sizes((8, 8), growing=False)[0] == (4, 4)  # not smaller


def test_a_flat_objective_moves_nothing(edges: Subject) -> None:
    weight = edges.network.get_parameter("0.weight")
    np.testing.assert_array_equal(weight.zero_(), 0)
    image = grey()
    assert torch.equal(dream(edges, edges.layer("0"), None, image, ascent(octaves=1), DO_NOTHING).picture, image)
