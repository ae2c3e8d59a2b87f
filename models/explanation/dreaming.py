"""Pictures that please a network: gradient ascent on the pixels.

`dream` amplifies what a layer sees in a picture (Mordvintsev, Olah and Tyka 2015, Inceptionism: going deeper into
neural networks): over several octaves, each larger than the one before, so that what it finds comes in several
sizes. `imagine` grows a picture of a class from noise (Simonyan, Vedaldi and Zisserman 2013), from a coarse picture
to a fine one, since what is coarse cannot be noise of single pixels.

Both move the picture at random before each step (jitter), so that no pixel depends on where a stride falls, and
divide the gradient by its mean absolute value, so that a step is as long at any depth. Pictures are float32
(1, C, H, W) of grey levels from 0 to 255.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.errors import JobError
from models.explanation.subject import Layer, Subject
from models.hooks import watched

JITTER_SHARE = 8
"""A picture is moved by at most this part of its side."""
SMALLEST_SIDE = 4
MAX_SIDE = 512
NOISE = 16.0
"""Standard deviation of the noise that a class grows from, in grey levels around the middle."""
Objective = Callable[[Tensor], Tensor]
Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True)
class Ascent:
    """How to climb: in each of the octaves so many steps, each of which changes a pixel by `learning_rate` on average.

    The learning rate is in grey levels.
    """

    steps: int
    learning_rate: float
    octaves: int
    octave_scale: float
    seed: int

    def climb(
        self, picture: Tensor, sizes: list[tuple[int, int]], objective: Objective, obey: Callable[[], None]
    ) -> Tensor:
        """The picture after `steps` at each size, brought to one after the other."""
        generator = torch.Generator().manual_seed(self.seed)
        for size in sizes:
            picture = resized(picture, size)
            for _ in range(self.steps):
                obey()
                picture = self._step(picture, objective, generator)
        return picture

    def _step(self, picture: Tensor, objective: Objective, generator: torch.Generator) -> Tensor:
        shift = [_drawn(side // JITTER_SHARE, generator) for side in picture.shape[2:]]
        moved = picture.roll(shift, (2, 3)).requires_grad_()
        (gradient,) = torch.autograd.grad(objective(moved), moved)
        gradient = gradient.roll([-each for each in shift], (2, 3))
        scale = gradient.abs().mean().clamp(min=1e-12)
        return (picture + self.learning_rate * gradient / scale).clamp(0, 255).detach()

    def sizes(self, side: Size, *, growing: bool) -> list[Size]:
        """Heights and widths from `side` upwards, or, for a picture that is not to grow, from below up to it.

        Those above 512 pixels are left out, since the memory grows with the area.
        """
        first = 0 if growing else 1 - self.octaves
        factors = [self.octave_scale**octave for octave in range(first, first + self.octaves)]
        factors = [factor for factor in factors if factor <= 1 or max(side) * factor <= MAX_SIDE]
        height, width = (tuple(max(SMALLEST_SIDE, round(each * factor)) for factor in factors) for each in side)
        return list(zip(height, width, strict=True))


@dataclass(frozen=True)
class Dream:
    """A picture, what it began from, and what the objective said of the two."""

    picture: Tensor
    start: Tensor
    before: float
    after: float


def dream(
    subject: Subject, layer: Layer, channel: int | None, image: Tensor, ascent: Ascent, obey: Callable[[], None]
) -> Dream:
    """Amplify in an image what a layer sees: the mean square of its maps, or the mean of one channel.

    Raises:
        JobError: `unknown_channel`, or `unsuitable_layer`, which takes images of one size only.
    """
    if channel is not None and channel >= layer.shape[0]:
        detail = f"`deepdream.channel`: {layer.name} has channels 0 to {layer.shape[0] - 1}, and no {channel}."
        raise JobError("unknown_channel", detail)

    def objective(picture: Tensor) -> Tensor:
        maps = _maps(subject, layer, picture)
        return maps.square().mean() if channel is None else maps[:, channel].mean()

    sizes = ascent.sizes((int(image.shape[2]), int(image.shape[3])), growing=True)
    largest = resized(image, sizes[-1])
    try:
        with torch.inference_mode():
            objective(largest)
    except RuntimeError as error:
        detail = f"{layer.name} takes images of one size only: set `deepdream.octaves` to 1, or name an earlier layer."
        raise JobError("unsuitable_layer", detail) from error
    return _told(ascent.climb(image, sizes, objective, obey), largest, objective)


def imagine(subject: Subject, target: int, ascent: Ascent, obey: Callable[[], None]) -> Dream:
    """Grow from noise a picture for which the network says this class; the objective is the class's logit."""
    channels, *side = subject.signature["input"]["shape"]
    size = (int(side[0]), int(side[1]))
    sizes = ascent.sizes(size, growing=False)
    generator = torch.Generator().manual_seed(ascent.seed)
    noise = 127.5 + NOISE * torch.randn(1, channels, *sizes[0], generator=generator)

    def objective(picture: Tensor) -> Tensor:
        logits_NK: Tensor = subject.network(subject.preprocess(resized(picture, size)))
        return logits_NK[0, target]

    grown = ascent.climb(noise.clamp(0, 255), sizes, objective, obey)
    return _told(resized(grown, size), noise, objective)


class _Reached(Exception):
    """The layer has been reached: what lies behind it, which may want images of one size, is not computed."""

    def __init__(self, maps: Tensor) -> None:
        super().__init__()
        self.maps = maps


def _maps(subject: Subject, layer: Layer, picture: Tensor) -> Tensor:
    """The layer's maps (1, C, H, W) for a picture of any size."""

    def stop(name: str, module: nn.Module, inputs: Any, output: Tensor) -> None:
        raise _Reached(output)

    try:
        with watched([(layer.name, layer.module)], stop):
            subject.network(subject.preprocess(picture))
    except _Reached as reached:
        return reached.maps
    raise AssertionError("a layer that was found by running the network is reached by running it")


def _told(picture: Tensor, start: Tensor, objective: Objective) -> Dream:
    with torch.inference_mode():
        return Dream(picture, start, float(objective(start)), float(objective(picture)))


def resized(picture: Tensor, size: Size) -> Tensor:
    """The picture at this height and width."""
    if tuple(picture.shape[2:]) == size:
        return picture
    return interpolate(picture, size=size, mode="bilinear", align_corners=False)


def _drawn(most: int, generator: torch.Generator) -> int:
    return int(torch.randint(-most, most + 1, (), generator=generator))
