"""The network that is explained, and its layers by name."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from models.errors import JobError
from models.hooks import watched
from models.versions.rebuilding import rebuild

Convolution = nn.Conv2d | nn.ConvTranspose2d


@dataclass(frozen=True)
class Layer:
    """A module of the network that gives feature maps (C, H, W) for one image."""

    name: str
    module: nn.Module
    shape: tuple[int, ...]

    @property
    def is_convolution(self) -> bool:
        """Whether it has kernels."""
        return isinstance(self.module, Convolution)


@dataclass(frozen=True)
class Subject:
    """A version's network, divided where its inputs become standardised features.

    Attributions are of `network`, whose inputs are comparable: 0 is the mean of the training rows and 1 their
    standard deviation. Its outputs are logits, or of a regression the target in standard deviations.
    """

    preprocess: nn.Module
    network: nn.Module
    architecture: str
    signature: dict[str, Any]

    @classmethod
    def of(cls, version: dict[str, Any], weights: Path) -> "Subject":
        """The network of a version's record. Raises `JobError`."""
        preprocess, network = rebuild(version, weights)
        return cls(preprocess, network, version["architecture"], version["signature"])

    @property
    def is_image(self) -> bool:
        """Whether it takes images, not rows of a table."""
        return bool(self.signature["modality"] == "image")

    @property
    def labels(self) -> list[str] | None:
        """Names of the classes; None for a regression."""
        labels: list[str] | None = self.signature["labels"]
        return labels

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """The layers with feature maps, in the order in which an image passes through them."""
        found: dict[str, Layer] = {}

        def note(name: str, module: nn.Module, inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.ndim == 4:
                found[name] = Layer(name, module, tuple(output.shape[1:]))

        parts = [(name, module) for name, module in self.network.named_modules() if name]
        with torch.inference_mode(), watched(parts, note):
            self.network(self.preprocess(torch.zeros(1, *self.signature["input"]["shape"])))
        return found

    @property
    def convolutions(self) -> list[Layer]:
        """The layers with kernels, in order."""
        return [layer for layer in self.layers.values() if layer.is_convolution]

    def layer(self, name: str | None, place: int = -1) -> Layer:
        """The layer of this name, or without one the convolution at this place.

        Raises:
            JobError: `unknown_layer`, no layer of this name has feature maps.
        """
        if name is None:
            return self.convolutions[place]
        if name not in self.layers:
            known = ", ".join(layer.name for layer in self.convolutions)
            raise JobError("unknown_layer", f"There is no layer {name!r} with feature maps; the convolutions: {known}.")
        return self.layers[name]

    def require_convolution(self, methods: list[str]) -> None:
        """Refuse these methods where there is nothing for them to show.

        Raises:
            JobError: `no_convolution`, naming the methods.
        """
        if methods and not self.convolutions:
            raise JobError(
                "no_convolution",
                f"`methods`: {', '.join(methods)} need a convolution, and {self.architecture} has none; "
                "ask for saliency, integrated_gradients or occlusion.",
            )
