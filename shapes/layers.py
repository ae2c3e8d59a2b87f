"""The layers of which a network can be listed: their fields with bounds, output shapes and parameters.

Each is an object with a `type`; what it works on is the layer before it, and a skip connection also an
earlier one. Maps are (channels, height, width). A dense layer flattens them, and after it there are only
(features,). Kernels are square, and a field holds for both sides.
"""

from math import prod
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from shapes.fitting import Misfit, Shape, maps_of, require_divided, slid_sides, written
from shapes.sizes import transposed

Activation = Literal["relu", "leaky_relu", "prelu", "elu", "selu", "tanh", "sigmoid", "softmax"]

Name = Annotated[str, Field(min_length=1, max_length=64)]
Kernel = Annotated[int, Field(ge=1, le=64, description="Side of the window.")]
Stride = Annotated[int, Field(ge=1, le=64, description="Step from one window to the next.")]
Padding = Annotated[int, Field(ge=0, le=64, description="Zeros around the input, on each side.")]
Dilation = Annotated[int, Field(ge=1, le=64, description="Distance between the window's points.")]
Groups = Annotated[int, Field(ge=1, le=4096, description="Parts of the channels that are convolved apart.")]
Bias = Annotated[bool, Field(description="Add a learned constant; of no use before a normalisation.")]
Mode = Annotated[Literal["max", "average"], Field(description="What is taken of a window.")]


class Layer(BaseModel):
    """What all layers have. Of the methods, most layers change neither the shape nor the number of parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name | None = Field(None, description="By which a later addition or concatenation finds it.")

    def output_shape(self, shape: Shape) -> Shape:
        """The shape that this layer makes of its input's. Raises `Misfit`."""
        return shape

    def num_parameters(self, shape: Shape) -> int:
        """Numbers to be learned, for an input of this shape, which fits."""
        return 0


class _Kernels(Layer):
    """What all convolutions have."""

    channels: int = Field(ge=1, le=4096, description="Channels of the output.")
    kernel: Kernel = 3
    stride: Stride = 1
    padding: Padding = 0
    bias: Bias = True

    def kernel_parameters(self, in_channels: int) -> int:
        """Numbers of one kernel for these channels to all of the output's."""
        return self.channels * (in_channels * self.kernel**2 + self.bias)


class Convolution(_Kernels):
    """A convolution: one kernel for every position. With `groups` as many as channels it is depthwise."""

    type: Literal["convolution"] = "convolution"
    dilation: Dilation = 1
    groups: Groups = 1

    def output_shape(self, shape: Shape) -> Shape:
        maps = maps_of(self.type, shape)
        require_divided(maps[0], self.channels, self.groups)
        sides = slid_sides(self.type, maps, self.kernel, self.stride, self.padding, self.dilation)
        return self.channels, *sides

    def num_parameters(self, shape: Shape) -> int:
        return self.kernel_parameters(shape[0] // self.groups)


class TiledConvolution(_Kernels):
    """A tiled convolution (Goodfellow, Bengio and Courville 2016, Deep Learning, 9.5): kernels take turns.

    Along each axis position i has kernel i mod `tiles`, so that there are tiles² kernels, each with its own bias.
    With one it is a convolution, with one for each position it is locally connected.
    """

    type: Literal["tiled_convolution"] = "tiled_convolution"
    tiles: int = Field(2, ge=1, le=8, description="Kernels that take turns along each axis; tiles² in all.")

    def output_shape(self, shape: Shape) -> Shape:
        return self.channels, *slid_sides(self.type, maps_of(self.type, shape), self.kernel, self.stride, self.padding)

    def num_parameters(self, shape: Shape) -> int:
        return self.tiles**2 * self.kernel_parameters(shape[0])


class TransposedConvolution(_Kernels):
    """The transpose of a convolution as a linear map: with a stride it enlarges its input."""

    type: Literal["transposed_convolution"] = "transposed_convolution"
    output_padding: int = Field(0, ge=0, le=63, description="Rows and columns more, at one end.")
    dilation: Dilation = 1
    groups: Groups = 1

    def output_shape(self, shape: Shape) -> Shape:
        channels, *sides = maps_of(self.type, shape)
        require_divided(channels, self.channels, self.groups)
        if self.output_padding >= max(self.stride, self.dilation):
            raise Misfit(
                f"output_padding {self.output_padding} must be below the stride {self.stride} "
                f"or the dilation {self.dilation}"
            )
        height, width = (
            transposed(side, self.kernel, self.stride, self.padding, self.dilation, self.output_padding)
            for side in sides
        )
        if min(height, width) < 1:
            raise Misfit(
                f"padding {self.padding} leaves nothing of the {self.type} {self.kernel}×{self.kernel} of its input "
                f"{written(shape)}; use less padding or a larger kernel"
            )
        return self.channels, height, width

    def num_parameters(self, shape: Shape) -> int:
        return self.kernel_parameters(shape[0] // self.groups)


class Pooling(Layer):
    """The largest or the mean value of each window, channel by channel."""

    type: Literal["pooling"] = "pooling"
    mode: Mode = "max"
    kernel: Kernel = 2
    stride: Stride | None = Field(None, description="Step from one window to the next; the kernel's side if null.")
    padding: Padding = 0

    @property
    def step(self) -> int:
        """The stride, which is the kernel's side unless it is given."""
        return self.stride or self.kernel

    def output_shape(self, shape: Shape) -> Shape:
        maps = maps_of(self.type, shape)
        if self.padding > self.kernel // 2:
            raise Misfit(f"padding {self.padding} must be at most half of the kernel {self.kernel}")
        return maps[0], *slid_sides(self.type, maps, self.kernel, self.step, self.padding)


class GlobalPooling(Layer):
    """The largest or the mean value of each channel: maps of any size become 1×1."""

    type: Literal["global_pooling"] = "global_pooling"
    mode: Mode = "average"

    def output_shape(self, shape: Shape) -> Shape:
        return maps_of(self.type, shape)[0], 1, 1


class BatchNorm(Layer):
    """Batch normalisation (Ioffe and Szegedy 2015): each channel over the batch and all positions."""

    type: Literal["batch_norm"] = "batch_norm"

    def num_parameters(self, shape: Shape) -> int:
        return 2 * shape[0]


class GroupNorm(Layer):
    """Group normalisation (Wu and He 2018): each example by itself; with one group, layer normalisation."""

    type: Literal["group_norm"] = "group_norm"
    groups: int = Field(1, ge=1, le=4096, description="Parts of the channels that are normalised apart.")

    def output_shape(self, shape: Shape) -> Shape:
        if shape[0] % self.groups:
            raise Misfit(f"groups {self.groups} must divide the channels of its input {written(shape)}")
        if prod(shape) == self.groups:
            raise Misfit(f"{self.groups} groups of its input {written(shape)} are single numbers; use fewer groups")
        return shape

    def num_parameters(self, shape: Shape) -> int:
        return 2 * shape[0]


class ActivationLayer(Layer):
    """A function of each number; softmax of the channels or features of each position."""

    type: Literal["activation"] = "activation"
    function: Activation = Field("relu", description="Its name.")

    def num_parameters(self, shape: Shape) -> int:
        return 1 if self.function == "prelu" else 0


class Dropout(Layer):
    """Dropout (Srivastava et al. 2014): in training some numbers are 0, and the others larger to make up for it."""

    type: Literal["dropout"] = "dropout"
    probability: float = Field(0.5, ge=0.0, le=0.95, description="Of a number to be dropped.")


class Dense(Layer):
    """A fully connected layer; maps are flattened for it."""

    type: Literal["dense"] = "dense"
    units: int = Field(ge=1, le=8192, description="Features of the output.")
    bias: Bias = True

    def output_shape(self, shape: Shape) -> Shape:
        return (self.units,)

    def num_parameters(self, shape: Shape) -> int:
        return self.units * (prod(shape) + self.bias)


class Skip(Layer):
    """A skip connection: an earlier layer's output joins this layer's input."""

    source: Name | Annotated[int, Field(ge=0)] = Field(
        description="The earlier layer: its name, or its place in the list, from 0 on."
    )

    def joined_shape(self, shape: Shape, other: Shape) -> Shape:
        """The shape of the input joined with the source's output. Raises `Misfit`."""
        raise NotImplementedError


class Addition(Skip):
    """The sum with an earlier layer's output, as in ResNet."""

    type: Literal["addition"] = "addition"

    def joined_shape(self, shape: Shape, other: Shape) -> Shape:
        if shape != other:
            raise Misfit(
                f"addition of {self.source!r}, {written(other)}, to its input {written(shape)}: "
                "both must have one shape; use convolutions that keep it, or concatenation"
            )
        return shape


class Concatenation(Skip):
    """The channels, or features, of an earlier layer's output after those of the input, as in DenseNet."""

    type: Literal["concatenation"] = "concatenation"

    def joined_shape(self, shape: Shape, other: Shape) -> Shape:
        if len(shape) != len(other) or shape[1:] != other[1:]:
            raise Misfit(
                f"concatenation of {self.source!r}, {written(other)}, to its input {written(shape)}: "
                "both must have one height and width; use layers that keep them in between"
            )
        return shape[0] + other[0], *shape[1:]


AnyLayer = Annotated[
    Convolution
    | TiledConvolution
    | TransposedConvolution
    | Pooling
    | GlobalPooling
    | BatchNorm
    | GroupNorm
    | ActivationLayer
    | Dropout
    | Dense
    | Addition
    | Concatenation,
    Field(discriminator="type"),
]
