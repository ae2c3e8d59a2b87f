"""How much each part of an input counts for one output. Captum has the methods; this says how they are asked.

- `saliency`: the gradient's absolute value (Simonyan, Vedaldi and Zisserman 2013, Deep inside convolutional networks).
- `integrated_gradients`: gradients summed along the straight path from the mean input (Sundararajan, Taly and Yan
  2017, Axiomatic attribution for deep networks). The sum is the difference of the outputs at its two ends.
- `occlusion`: what the output loses when a patch is covered by the mean input (Zeiler and Fergus 2014, Visualizing
  and understanding convolutional networks).
- `grad_cam`: a layer's maps weighted by their mean gradients, where positive (Selvaraju et al. 2017, Grad-CAM).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from captum.attr import (  # type: ignore[import-untyped]
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Occlusion,
    Saliency,
)
from numpy.typing import NDArray
from torch import Tensor

from models.explanation.subject import Layer, Subject

PATH_STEPS = 50
AT_ONCE = 8
"""Inputs computed at a time, which bounds the memory."""
PATCHES_A_SIDE = 7
TOLERANCE = 0.05
"""Of completeness: a share of the difference of the outputs, or of 1 where that is smaller."""


@dataclass(frozen=True)
class Question:
    """Which output of a network is explained, for which standardised input (1, ...)."""

    subject: Subject
    input: Tensor
    target: int
    layer: Layer | None
    """Of a method that looks at one."""

    def output(self, inputs: Tensor) -> Tensor:
        """The explained output (N,) at other inputs."""
        with torch.no_grad():
            outputs_NK: Tensor = self.subject.network(inputs)
        return outputs_NK[:, self.target]


def saliency(question: Question) -> Tensor:
    """The absolute gradient (1, G), of an image the largest over its channels (1, 1, H, W)."""
    attribution: Tensor = Saliency(question.subject.network).attribute(
        question.input.clone().requires_grad_(), target=question.target
    )
    return attribution.amax(1, keepdim=True) if question.subject.is_image else attribution


def integrated_gradients(question: Question) -> Tensor:
    """The share of each feature (1, G) or (1, C, H, W) in the output's difference from that of the mean input."""
    attribution: Tensor = IntegratedGradients(question.subject.network).attribute(
        question.input, target=question.target, n_steps=PATH_STEPS, internal_batch_size=AT_ONCE
    )
    return attribution.float()


def occlusion(question: Question) -> Tensor:
    """The mean loss (1, 1, H, W) of the output over the patches that cover a pixel; patches overlap by half."""
    channels, *sides = question.input.shape[1:]
    patch = [max(1, side // PATCHES_A_SIDE) for side in sides]
    attribution: Tensor = Occlusion(question.subject.network).attribute(
        question.input,
        target=question.target,
        sliding_window_shapes=(channels, *patch),
        strides=(channels, *(max(1, side // 2) for side in patch)),
        perturbations_per_eval=AT_ONCE,
    )
    return attribution[:, :1]  # a patch covers all channels, so they all have the same


def grad_cam(question: Question) -> Tensor:
    """The layer's weighted maps (1, 1, H, W), at the size of the input."""
    assert question.layer is not None  # noqa: S101 - the job chose one
    maps = LayerGradCam(question.subject.network, question.layer.module).attribute(
        question.input.clone().requires_grad_(), target=question.target, relu_attributions=True
    )
    attribution: Tensor = LayerAttribution.interpolate(maps, tuple(question.input.shape[2:]), "bilinear")
    return attribution.detach()


@dataclass(frozen=True)
class Attribution:
    """A method."""

    compute: Callable[[Question], Tensor]
    about: str
    """What its numbers are, in words."""
    signed: bool = False
    """Whether it tells what speaks against the output, too."""
    of_layer: bool = False
    """Whether it looks at one layer."""
    complete: bool = False
    """Whether its numbers should add up to the difference of two outputs."""


ATTRIBUTIONS = {
    "saliency": Attribution(saliency, "absolute gradient"),
    "integrated_gradients": Attribution(integrated_gradients, "integrated gradients", signed=True, complete=True),
    "occlusion": Attribution(occlusion, "loss when covered", signed=True),
    "grad_cam": Attribution(grad_cam, "Grad-CAM", of_layer=True),
}


def attribute(method: str, question: Question) -> NDArray[Any]:
    """What each pixel (H, W) of an image, or each column (F,) of a table, counts for the output.

    Of a column with categories it is the sum over them.
    """
    attribution = ATTRIBUTIONS[method].compute(question)[0]
    if question.subject.is_image:
        pixels_HW: NDArray[Any] = attribution.sum(0).numpy()
        return pixels_HW
    columns = question.subject.signature["input"]["columns"]
    columns_F = np.zeros(len(columns), np.float32)
    np.add.at(columns_F, _column_of_each_feature(columns), attribution.numpy())
    return columns_F


def _column_of_each_feature(columns: list[dict[str, Any]]) -> list[int]:
    """In the order of `TabularPreprocess`: the numeric columns, then the categories of each other column."""
    numeric = [place for place, column in enumerate(columns) if column["kind"] == "numeric"]
    return numeric + [
        place for place, column in enumerate(columns) if column["kind"] == "categorical" for _ in column["categories"]
    ]


def completeness(question: Question, attribution: NDArray[Any]) -> dict[str, Any]:
    """Whether integrated gradients add up to the difference of the outputs at the input and at the mean input."""
    at_input, at_mean = question.output(torch.cat([question.input, torch.zeros_like(question.input)])).tolist()
    total, difference = float(attribution.sum(dtype=np.float64)), at_input - at_mean
    tolerance = TOLERANCE * max(1.0, abs(difference))
    return {
        "sum": total,
        "output_difference": difference,
        "tolerance": tolerance,
        "complete": abs(total - difference) <= tolerance,
    }
