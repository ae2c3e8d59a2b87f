"""Variational autoencoder: codes that follow a known distribution, so that samples can be drawn.

    q(z|x) = N(μ(x), diag σ²(x)),   p(z) = N(0, I),   p(x|z) given by the decoder
    -ELBO = E_q[-log p(x|z)] + β KL(q(z|x) ‖ p(z))
    KL    = ½ Σ_d μ_d² + σ_d² - 1 - log σ_d²

The expectation is estimated by one z = μ + σ ε. With β > 1 codes are disentangled at the price of the
reconstruction (beta-VAE); β may rise from 0 over the first steps, so that the codes are used before they are paid
for. A conditional VAE tells encoder and decoder the class. Metrics, and the anomaly score, are of β = 1, in nats an
example: the negative ELBO is an upper bound of -log p(x).

Shapes: N examples, D numbers of a code, K classes; values are images (N, C, H, W) from 0 to 1 or features (N, G).
Sources: Kingma and Welling 2014; Higgins et al. 2017, beta-VAE; Sohn, Lee and Yan 2015, of classes; Bowman et al.
2016, of the rising β; Burda, Grosse and Salakhutdinov 2016, Importance weighted autoencoders, of the tighter bound.
"""

from math import log
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from models.examples import Batch
from models.generative.coders import CoderConfig, Decoder, Encoder
from models.generative.network import CodingNetwork, ConditionalConfig, ValuesOf
from models.initializations import initialize
from models.losses.values import ValueLoss, value_loss
from models.phases import Phase
from models.registry import Reference, Shape, register, search

MIN_LOG_VARIANCE, MAX_LOG_VARIANCE = -20.0, 10.0
"""So that no exponential overflows, whatever the input."""
BOUND_SAMPLES = 32


@register(
    title="Variational autoencoder",
    paper="Kingma and Welling 2014, Auto-encoding variational Bayes",
    unit="V",
    tasks=("generation",),
    modality=("image", "tabular"),
    references=(
        Reference(
            "vae-784-400-20", {"hidden_dims": [400], "code_dim": 20}, input=(1, 28, 28), classes=0, parameters=652824
        ),
    ),
)
class VAE(CodingNetwork):
    """An encoder to means and variances, and its mirror."""

    class Config(CoderConfig, ConditionalConfig):
        """Hyperparameters of the variational autoencoder."""

        code_dim: int = Field(
            20,
            ge=1,
            le=4096,
            description="Numbers in a code.",
            json_schema_extra=search(choices=[2, 8, 20, 32, 64]),
        )
        loss: Literal["bernoulli", "gaussian", "categorical"] | None = Field(
            None,
            description="The distribution of a value, given the code: null is bernoulli for images and gaussian for "
            "tables; bernoulli and categorical (256 grey levels) are for images.",
            json_schema_extra={"requires": {"images": ["bernoulli", "categorical"]}} | search(choices=[None]),
        )
        std: float | None = Field(
            None,
            ge=0.01,
            le=100.0,
            description="The standard deviation of gaussian values; null learns one for each value.",
            json_schema_extra=search(choices=[None, 0.1, 1.0]),
        )
        beta: float = Field(
            1.0,
            ge=0.0,
            le=1000.0,
            description="Weight of the divergence from the prior in the loss.",
            json_schema_extra=search(low=0.1, high=10.0, log=True),
        )
        warmup_steps: int = Field(
            0,
            ge=0,
            le=10_000_000,
            description="Steps over which beta rises from 0.",
            json_schema_extra=search(choices=[0, 1000, 5000]),
        )

    steps: Tensor

    def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None:
        super().__init__()
        self.config, self.code_dim = config, config.code_dim
        self.num_classes = num_outputs if config.conditional else 0
        is_image = len(input_shape) == 3
        self.loss: ValueLoss = value_loss(
            config.loss or ("bernoulli" if is_image else "gaussian"), config.std, bounded=is_image
        )
        self.encoder = Encoder(config, input_shape, 2 * self.code_dim, self.num_classes)
        self.decoder = Decoder(config, input_shape, self.code_dim, self.loss.num_outputs, self.num_classes)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        initialize(self, config.initialization)

    def posterior(self, x: Tensor, labels_N: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """μ and log σ² (N, D) of q(z|x), in float32."""
        mean_ND, log_variance_ND = self.encoder(x, labels_N).float().chunk(2, dim=1)
        return mean_ND, log_variance_ND.clamp(MIN_LOG_VARIANCE, MAX_LOG_VARIANCE)

    def encode(self, x: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The means (N, D) of the posterior."""
        return self.posterior(x, labels_N)[0]

    def decode(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """The mean of the values' distribution."""
        values: Tensor = self.loss(self.decoder(code_ND, labels_N))
        return values

    def judge(self, x: Tensor, labels_N: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The reconstruction from the mean code, and -log p(x|μ) + KL as the score."""
        mean_ND, log_variance_ND = self.posterior(x, labels_N)
        outputs = self.decoder(mean_ND, labels_N)
        return self.loss(outputs), self.loss.each(outputs, x) + divergence(mean_ND, log_variance_ND)

    def parts(self, x: Tensor, labels_N: Tensor | None, noise_ND: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """-log p(x|z) and KL of each example (N,), in nats, and the decoder's outputs, for z = μ + σ · noise."""
        mean_ND, log_variance_ND = self.posterior(x, labels_N)
        outputs = self.decoder(mean_ND + (0.5 * log_variance_ND).exp() * noise_ND, labels_N)
        return self.loss.each(outputs, x), divergence(mean_ND, log_variance_ND), outputs

    def phases(self, values_of: ValuesOf) -> list[Phase]:
        """One, over all parameters; its loss has the β of the step."""

        def step(batch: Batch) -> dict[str, Tensor]:
            x = values_of(batch)
            noise_ND = torch.randn(len(x), self.code_dim, device=x.device)
            reconstruction_N, divergence_N, _ = self.parts(x, self.labels_of(batch), noise_ND)
            self.steps += 1
            reconstruction, kl = reconstruction_N.mean(), divergence_N.mean()
            return {"loss": reconstruction + self._beta() * kl, "reconstruction": reconstruction, "kl": kl}

        return [Phase(list(self.parameters()), step)]

    def _beta(self) -> Tensor | float:
        warmup, beta = self.config.warmup_steps, self.config.beta
        return beta * (self.steps / warmup).clamp(max=1.0) if warmup else beta

    def validate(self, values_of: ValuesOf, batch: Batch) -> dict[str, Tensor]:
        """The loss with its last β and its parts, with the same noise at each validation, and the squared error."""
        x = values_of(batch)
        reconstruction_N, divergence_N, outputs = self.parts(x, self.labels_of(batch), self._even_noise(x))
        reconstruction, kl = reconstruction_N.mean(), divergence_N.mean()
        return {
            "loss": reconstruction + self.config.beta * kl,
            "mse": (self.loss(outputs) - x).square().mean(),
            "reconstruction": reconstruction,
            "kl": kl,
        }

    def quality(self, x: Tensor, labels_N: Tensor | None = None) -> dict[str, Tensor]:
        """The negative ELBO and its parts, in nats."""
        reconstruction_N, divergence_N, _ = self.parts(x, labels_N, self._even_noise(x))
        return {
            "negative_elbo": reconstruction_N + divergence_N,
            "reconstruction": reconstruction_N,
            "kl": divergence_N,
        }

    def costly_quality(self, x: Tensor, labels_N: Tensor | None = None) -> dict[str, Tensor]:
        """A tighter bound of -log p(x)."""
        return {"negative_iwae": self.bound(x, labels_N, BOUND_SAMPLES)}

    def bound(self, x: Tensor, labels_N: Tensor | None, samples: int) -> Tensor:
        """-log 1/S Σ_s p(x, z_s) / q(z_s|x) (N,), in nats; with one sample it is the negative ELBO."""
        mean_ND, log_variance_ND = self.posterior(x, labels_N)
        generator = torch.Generator(x.device).manual_seed(0)
        weights = []
        for _ in range(samples):
            noise_ND = torch.randn(mean_ND.shape, device=x.device, generator=generator)
            code_ND = mean_ND + (0.5 * log_variance_ND).exp() * noise_ND
            log_ratio_N = 0.5 * (noise_ND.square() + log_variance_ND - code_ND.square()).sum(dim=1)
            weights.append(log_ratio_N - self.loss.each(self.decoder(code_ND, labels_N), x))
        return log(samples) - torch.stack(weights).logsumexp(dim=0)

    def _even_noise(self, x: Tensor) -> Tensor:
        return torch.randn(len(x), self.code_dim, device=x.device, generator=torch.Generator(x.device).manual_seed(0))


def divergence(mean_ND: Tensor, log_variance_ND: Tensor) -> Tensor:
    """KL(N(μ, σ²) ‖ N(0, I)) (N,), in nats."""
    return 0.5 * (mean_ND.square() + log_variance_ND.exp() - 1 - log_variance_ND).sum(dim=1)
