"""What a network is that samples can be drawn from, and one that codes its inputs as well.

Both work with values: of images from 0 to 1, of a table's rows the features that preprocessing makes of them.
Shapes: N examples, D numbers of a code, K classes; values are (N, C, H, W) or (N, G).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal, cast

from pydantic import Field
from torch import Tensor, nn

from models.examples import Batch
from models.phases import Phase
from models.preprocess import Invertible
from models.registry import ArchitectureConfig, search

ValuesOf = Callable[[Batch], Tensor]
"""The values of a batch's raw inputs: their preprocessing."""
Prior = Literal["normal"]
"""Where codes are drawn from: N(0, I)."""


class ConditionalConfig(ArchitectureConfig):
    """Hyperparameters of a network that can be told the class of what it codes or makes."""

    conditional: bool = Field(
        False,
        description="Whether the network is told the class, and so can be asked for one.",
        json_schema_extra={"requires": {"classes": True}} | search(choices=[False]),
    )

    @property
    def needs_classes(self) -> bool:
        """Whether it is conditional."""
        return self.conditional


class GenerativeNetwork(nn.Module, ABC):
    """A network with a decoder, from codes to values."""

    code_dim: int
    num_classes: int
    """K, or 0 where the network is told no classes; then labels are None everywhere."""
    prior: ClassVar[Prior | None] = "normal"
    """None where codes follow no known distribution, so that none can be drawn."""

    @abstractmethod
    def decode(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The values that these codes, and classes, stand for."""

    @abstractmethod
    def phases(self, values_of: ValuesOf) -> list[Phase]:
        """The phases of a training step; a step takes a raw batch, whose targets are the classes, if it needs them."""

    def validate(self, values_of: ValuesOf, batch: Batch) -> dict[str, Tensor]:
        """Means over a held-out batch, `loss` among them; nothing where there is no loss to judge a network by."""
        return {}

    def labels_of(self, batch: Batch) -> Tensor | None:
        """The classes (N,) of a batch, if the network is told them."""
        return batch.targets if self.num_classes else None


class CodingNetwork(GenerativeNetwork):
    """A network with an encoder as well, so that it can be held against what it is given."""

    @abstractmethod
    def encode(self, x: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The codes (N, D) of values."""

    @abstractmethod
    def judge(self, x: Tensor, labels_N: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The reconstruction of values, and how unlikely each example is (N,): an anomaly score."""

    def quality(self, x: Tensor, labels_N: Tensor | None = None) -> dict[str, Tensor]:
        """What else is measured of each held-out example (N,), by metric."""
        return {}

    def costly_quality(self, x: Tensor, labels_N: Tensor | None = None) -> dict[str, Tensor]:
        """The same of what takes so many passes that only some examples are measured."""
        return {}

    def forward(self, x: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The reconstruction of values."""
        return self.decode(self.encode(x, labels_N), labels_N)


def parts_of(network: nn.Module) -> tuple[Invertible, GenerativeNetwork]:
    """A network's preprocessing, and what is behind it."""
    preprocess, generative = cast(nn.Sequential, network)
    return cast(Invertible, preprocess), cast(GenerativeNetwork, generative)
