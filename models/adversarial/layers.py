"""Parts of generators and discriminators: normalisation by name, and the score of an example.

Shapes: N examples, C maps, H rows, W columns, F features, K classes.
"""

from typing import Literal

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

Normalization = Literal["batch", "layer", "spectral", "none"]
"""`batch` and `layer` normalise a layer's outputs over the batch or over the example, `spectral` (Miyato et al. 2018,
Spectral normalization for generative adversarial networks) divides its weights by their largest singular value."""


def normalized(layer: nn.Conv2d, normalization: Normalization) -> nn.Sequential:
    """A convolution and its normalisation."""
    maps = layer.out_channels
    match normalization:
        case "batch":
            return nn.Sequential(layer, nn.BatchNorm2d(maps))
        case "layer":
            return nn.Sequential(layer, nn.GroupNorm(1, maps))
        case "spectral":
            return nn.Sequential(spectral_norm(layer))
        case "none":
            return nn.Sequential(layer)


class ProjectionScore(nn.Module):
    """w·h + b, and of a label y also e_y·h: how real an example with the features h is, as one of its class.

    Source: Miyato and Koyama 2018, cGANs with projection discriminator.
    """

    def __init__(self, features: int, num_classes: int, *, spectral: bool, bias: bool = True) -> None:
        super().__init__()
        affine = nn.Linear(features, 1, bias=bias)
        self.affine = spectral_norm(affine) if spectral else affine
        self.embedding = None
        if num_classes:
            embedding = nn.Embedding(num_classes, features)
            self.embedding = spectral_norm(embedding) if spectral else embedding

    def forward(self, h_NF: Tensor, labels_N: Tensor | None) -> Tensor:
        """Scores (N,)."""
        score_N: Tensor = self.affine(h_NF).squeeze(1)
        if self.embedding is not None:
            score_N = score_N + (self.embedding(labels_N) * h_NF).sum(dim=1)
        return score_N
