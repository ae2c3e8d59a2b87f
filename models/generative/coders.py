"""Encoders and decoders of dense and convolutional layers, each the other's mirror.

    encoder:  x → [3×3 convolution, activation, 2×2 max pooling] … → dense layers … → the numbers of a code
    decoder:  code → dense layers … → [3×3 transposed convolution of stride 2, activation] … → 3×3 convolution

Without `channels` an image is flattened and all layers are dense. Pooling rounds an odd side up, and what is made of
it is cut to its size. A class is one-hot, beside the inputs of the first dense layer on either side.

Shapes: N examples, D numbers of a code, K classes, F features, P outputs for each value.
"""

from itertools import pairwise
from math import prod
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from models.activations import Activation, activation
from models.initializations import Initialization
from models.registry import ArchitectureConfig, Shape, search

HiddenDim = Annotated[int, Field(ge=1, le=8192)]
Channels = Annotated[int, Field(ge=1, le=1024)]
ONLY_FOR_IMAGES = {"requires": {"images": True}}


class CoderConfig(ArchitectureConfig):
    """Hyperparameters of an encoder and its mirror."""

    hidden_dims: tuple[HiddenDim, ...] = Field(
        (256,),
        max_length=32,
        description="Units of each dense layer between the input, or the smallest maps, and the code; the decoder has "
        "them in reverse.",
        json_schema_extra=search(choices=[[], [128], [256], [512], [512, 256]]),
    )
    channels: tuple[Channels, ...] = Field(
        (),
        max_length=6,
        description="Maps of each convolution before them, for images; each halves the sides.",
        json_schema_extra=ONLY_FOR_IMAGES | search(choices=[[]]),
    )
    activation: Activation = Field(
        "relu",
        description="Activation of all layers but the code and the output.",
        json_schema_extra=search(choices=["relu", "leaky_relu", "elu", "tanh", "sigmoid"]),
    )
    initialization: Initialization = Field(
        "default",
        description="How the weights are drawn.",
        json_schema_extra=search(choices=["default", "xavier", "he", "orthogonal"]),
    )

    def halvings(self, shape: Shape) -> list[Shape]:
        """The shape of the values and of the maps behind each convolution."""
        shapes = [shape]
        for maps in self.channels:
            _, height, width = shapes[-1]
            shapes.append((maps, -(-height // 2), -(-width // 2)))
        return shapes


class OneHot(nn.Module):
    """Features, and behind them the class as a one-hot vector."""

    classes_K: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.register_buffer("classes_K", torch.arange(num_classes), persistent=False)

    def forward(self, features_NF: Tensor, labels_N: Tensor | None) -> Tensor:
        """Features (N, F + K); a class that there is not is none of them, as is no label."""
        if not self.num_classes:
            return features_NF
        if labels_N is None:
            labels_N = torch.full((len(features_NF),), -1, device=features_NF.device)
        return torch.cat([features_NF, (labels_N[:, None] == self.classes_K).to(features_NF.dtype)], dim=1)


class Encoder(nn.Module):
    """Values and classes to `num_outputs` numbers (N, D); None for those of the last hidden layer, or smallest maps."""

    def __init__(self, config: CoderConfig, shape: Shape, num_outputs: int | None, num_classes: int = 0) -> None:
        super().__init__()
        shapes = config.halvings(shape)
        convolutions: list[nn.Module] = []
        for (before, *_), (after, *_) in pairwise(shapes):
            convolutions.append(nn.Conv2d(before, after, 3, padding=1))
            convolutions += [activation(config.activation), nn.MaxPool2d(2, ceil_mode=True)]
        self.convolutions = nn.Sequential(*convolutions)
        self.one_hot = OneHot(num_classes)
        units = [prod(shapes[-1]) + num_classes, *config.hidden_dims]
        dense: list[nn.Module] = []
        for wide, narrow in pairwise(units):
            dense += [nn.Linear(wide, narrow), activation(config.activation)]
        if num_outputs is not None:
            dense.append(nn.Linear(units[-1], num_outputs))
        self.dense = nn.Sequential(*dense)
        self.num_outputs = units[-1] if num_outputs is None else num_outputs

    def forward(self, x: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Numbers (N, D)."""
        y_ND: Tensor = self.dense(self.one_hot(self.convolutions(x).flatten(1), labels_N))
        return y_ND


class Decoder(nn.Module):
    """The mirror of an encoder: codes (N, D) and classes to P outputs for each value, (N, P, ...).

    `code_dim` is None where the code is the last hidden layer, or the smallest maps.
    """

    def __init__(
        self, config: CoderConfig, shape: Shape, code_dim: int | None, num_outputs: int, num_classes: int = 0
    ) -> None:
        super().__init__()
        self.one_hot = OneHot(num_classes)
        self.output_shape = (num_outputs, *shape)
        shapes = config.halvings(shape)
        self.smallest = shapes[-1] if config.channels else self.output_shape
        units = [prod(self.smallest), *config.hidden_dims, *(() if code_dim is None else (code_dim,))][::-1]
        units[0] += num_classes
        dense: list[nn.Module] = []
        for narrow, wide in pairwise(units):
            dense += [nn.Linear(narrow, wide), activation(config.activation)]
        self.dense = nn.Sequential(*(dense if config.channels else dense[:-1]))
        self.enlarging = nn.ModuleList()
        self.sizes = [size for _, *size in shapes[-2::-1]]
        for (before, *_), (after, *_) in pairwise([*shapes[:0:-1], shapes[1]] if config.channels else []):
            layer = nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1)
            self.enlarging.append(nn.Sequential(layer, activation(config.activation)))
        self.output = nn.Conv2d(shapes[1][0], num_outputs * shape[0], 3, padding=1) if config.channels else None

    def forward(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """Outputs (N, P, ...)."""
        y = self.dense(self.one_hot(code_ND, labels_N)).unflatten(1, self.smallest)
        for enlarge, (height, width) in zip(self.enlarging, self.sizes, strict=False):
            y = enlarge(y).narrow(2, 0, height).narrow(3, 0, width)
        if self.output is not None:
            y = self.output(y).unflatten(1, self.output_shape[:2])
        outputs: Tensor = y
        return outputs
