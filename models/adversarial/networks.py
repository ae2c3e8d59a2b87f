"""Two networks that learn from each other: one draws examples, the other tells them from real ones.

Shapes: N examples, D numbers of a code, K classes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from pydantic import Field
from torch import Tensor, nn

from models.adversarial.losses import AdversarialLoss
from models.examples import Batch
from models.generative.network import ConditionalConfig, GenerativeNetwork, ValuesOf
from models.phases import Phase
from models.registry import search


class AdversarialConfig(ConditionalConfig):
    """Hyperparameters that every pair of generator and discriminator has."""

    code_dim: int = Field(
        64,
        ge=1,
        le=4096,
        description="Numbers in a code z, each drawn from a standard normal distribution.",
        json_schema_extra=search(choices=[16, 32, 64, 100, 128]),
    )
    discriminator_steps: int = Field(
        1,
        ge=1,
        le=100,
        description="Batches that the discriminator learns from, to each that the generator learns from.",
        json_schema_extra=search(choices=[1, 2, 5]),
    )
    discriminator_learning_rate_factor: float = Field(
        1.0,
        gt=0.0,
        le=100.0,
        description="The discriminator's learning rate as a multiple of the generator's (two time-scales).",
        json_schema_extra=search(low=0.25, high=4.0, log=True),
    )


class AdversarialNetwork(GenerativeNetwork):
    """A generator of `(code_ND, labels_N)` and a discriminator that gives scores (N,) of `(values, labels_N)`."""

    def __init__(
        self,
        config: AdversarialConfig,
        generator: nn.Module,
        discriminator: nn.Module,
        loss: AdversarialLoss,
        num_classes: int,
    ) -> None:
        super().__init__()
        self.generator, self.discriminator, self.loss = generator, discriminator, loss
        self.code_dim, self.num_classes = config.code_dim, num_classes
        self.discriminator_steps = config.discriminator_steps
        self.learning_rate_factor = config.discriminator_learning_rate_factor

    def decode(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """What the generator makes of these codes, and classes."""
        values: Tensor = self.generator(code_ND, labels_N)
        return values

    def forward(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The same."""
        return self.decode(code_ND, labels_N)

    def phases(self, values_of: ValuesOf) -> list[Phase]:
        """The discriminator's step at every batch, the generator's at every n-th."""

        def teach_discriminator(batch: Batch) -> dict[str, Tensor]:
            labels = self.labels_of(batch)
            with torch.no_grad():
                drawn = self._drawn(batch, labels)
            return self.loss.discriminator(lambda x: self.discriminator(x, labels), values_of(batch), drawn)

        def teach_generator(batch: Batch) -> dict[str, Tensor]:
            labels = self.labels_of(batch)
            with frozen(self.discriminator):
                scores = self.discriminator(self._drawn(batch, labels), labels)
            return {"loss": self.loss.generator(scores)}

        discriminator, generator = list(self.discriminator.parameters()), list(self.generator.parameters())
        factor, steps = self.learning_rate_factor, self.discriminator_steps
        return [
            Phase(
                discriminator, teach_discriminator, "discriminator", learning_rate_factor=factor, watch_gradient=True
            ),
            Phase(generator, teach_generator, "generator", every=steps, watch_gradient=True),
        ]

    def _drawn(self, batch: Batch, labels: Tensor | None) -> Tensor:
        """As many examples as the batch has, of fresh codes and of the same classes."""
        return self.decode(torch.randn(len(batch.inputs), self.code_dim, device=batch.inputs.device), labels)


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Gradients pass through the network on to its inputs, but none of its own are computed."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
