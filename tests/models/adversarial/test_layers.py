from typing import Any

import pytest
import torch
from torch import nn

from models.adversarial.layers import Normalization, ProjectionScore, normalized
from models.generative.coders import OneHot


@pytest.mark.parametrize(
    ("normalization", "kind"), [("batch", nn.BatchNorm2d), ("layer", nn.GroupNorm), ("none", None), ("spectral", None)]
)
def test_a_convolution_is_followed_by_its_normalisation(
    normalization: Normalization, kind: type[nn.Module] | None
) -> None:
    layers = normalized(nn.Conv2d(3, 8, 3), normalization)
    assert [type(layer) for layer in [*layers][1:]] == ([] if kind is None else [kind])
    assert layers(torch.randn(2, 3, 5, 5)).shape == (2, 8, 3, 3)


def test_layer_normalisation_is_of_each_example_by_itself() -> None:
    layers, x = normalized(nn.Conv2d(1, 4, 3), "layer"), torch.randn(5, 1, 6, 6)
    y = layers(x)
    torch.testing.assert_close(y.flatten(1).mean(dim=1), torch.zeros(5), atol=1e-5, rtol=0)
    torch.testing.assert_close(layers(x[:1]), y[:1])


def test_a_spectral_norm_brings_the_largest_singular_value_to_one() -> None:
    torch.manual_seed(0)
    layer: Any = normalized(nn.Conv2d(3, 8, 3), "spectral")[0]
    with torch.no_grad():
        layer.parametrizations.weight.original.mul_(50)
        for _ in range(50):
            layer(torch.randn(1, 3, 5, 5))
    weight = layer.eval().weight.detach()
    assert float(torch.linalg.matrix_norm(weight.flatten(1), 2)) == pytest.approx(1, rel=1e-3)


def test_the_score_is_a_projection_on_the_label() -> None:
    score = ProjectionScore(4, 3, spectral=False)
    h, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 1, 0])
    assert score.embedding is not None
    expected = score.affine(h).squeeze(1) + (score.embedding(labels) * h).sum(dim=1)
    torch.testing.assert_close(score(h, labels), expected)
    assert not torch.equal(score(h, labels), score(h, (labels + 1) % 3))
    assert ProjectionScore(4, 0, spectral=True)(h, None).shape == (5,)


def test_a_label_is_one_hot_behind_the_code() -> None:
    code, labels = torch.randn(2, 4), torch.tensor([2, 0])
    joined = OneHot(3)(code, labels)
    assert torch.equal(joined[:, :4], code)
    assert torch.equal(joined[:, 4:], torch.tensor([[0.0, 0, 1], [1, 0, 0]]))
    assert OneHot(0)(code, None) is code
