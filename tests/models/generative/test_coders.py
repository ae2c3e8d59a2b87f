import pytest
import torch
from torch import nn

from models.generative.coders import CoderConfig, Decoder, Encoder, OneHot
from models.registry import Shape


def kinds(network: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in network.modules() if not list(layer.children())]


def test_the_decoder_mirrors_the_encoder() -> None:
    config = CoderConfig(hidden_dims=(50, 20))
    encoder, decoder = Encoder(config, (1, 6, 6), 4), Decoder(config, (1, 6, 6), 4, 1)
    widths = [
        [layer.out_features for layer in side.dense if isinstance(layer, nn.Linear)] for side in (encoder, decoder)
    ]
    assert widths == [[50, 20, 4], [20, 50, 36]]
    assert isinstance(decoder.dense[-1], nn.Linear), "the output has no activation"


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 7, 9), (1, 1, 5), (2, 16, 11)])
@pytest.mark.parametrize("channels", [(), (4,), (4, 6, 8)])
@pytest.mark.parametrize("code_dim", [5, None])
def test_images_of_any_size_come_back_in_their_size(
    shape: Shape, channels: tuple[int, ...], code_dim: int | None
) -> None:
    config = CoderConfig(hidden_dims=() if channels else (7,), channels=channels)
    encoder, decoder = Encoder(config, shape, code_dim), Decoder(config, shape, code_dim, 2)
    code = encoder(torch.rand(3, *shape))
    assert code.shape == (3, encoder.num_outputs)
    assert decoder(code).shape == (3, 2, *shape)


def test_a_class_is_beside_the_features() -> None:
    one_hot = OneHot(3)
    told = one_hot(torch.zeros(2, 1), torch.tensor([2, 0]))
    assert told.tolist() == [[0, 0, 0, 1], [0, 1, 0, 0]]
    assert one_hot(torch.zeros(1, 1), None).tolist() == [[0, 0, 0, 0]]
    features = torch.zeros(2, 1)
    assert OneHot(0)(features, torch.tensor([1, 2])) is features
