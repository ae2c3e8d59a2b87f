"""The graphs of a generative version: `encoder`, `decoder`, and `model`, which holds its answer against its input.

A network without an encoder has one graph, its decoder, which is `model` too. A conditional network's graphs take
the `label` after their first input. Raw values in, raw values out: preprocessing and its inverse are inside.
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.examples import Batch
from models.generative.network import CodingNetwork, GenerativeNetwork, parts_of
from models.graphs import Described, Graph
from models.preprocess import Invertible, TabularPreprocess

TOLERANCE = 1e-4
"""Of codes and errors, as a share of the largest, or of 1."""
LEVEL = 1
"""Of pixels: one of 255, since what lies halfway between two is rounded either way."""


class Sampler(nn.Module):
    """Codes, and classes, to samples as they are served."""

    def __init__(self, preprocess: Invertible, network: GenerativeNetwork) -> None:
        super().__init__()
        self.network, self.inverse = network, preprocess.inverse()

    def forward(self, code_ND: Tensor, labels_N: Tensor | None = None) -> Tensor:
        """uint8 images or rows in the columns' units."""
        sample: Tensor = self.inverse(self.network.decode(code_ND, labels_N))
        return sample


class _Encoder(nn.Module):
    def __init__(self, preprocess: nn.Module, network: CodingNetwork) -> None:
        super().__init__()
        self.preprocess, self.network = preprocess, network

    def forward(self, inputs: Tensor, labels_N: Tensor | None = None) -> Tensor:
        return self.network.encode(self.preprocess(inputs), labels_N)


class _Judge(nn.Module):
    """The reconstruction, its mean squared error and the anomaly score."""

    def __init__(self, preprocess: Invertible, network: CodingNetwork) -> None:
        super().__init__()
        self.preprocess, self.network, self.inverse = preprocess, network, preprocess.inverse()

    def forward(self, inputs: Tensor, labels_N: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        x = self.preprocess(inputs)
        values, score_N = self.network.judge(x, labels_N)
        return self.inverse(values), (values - x).square().flatten(1).mean(dim=1), score_N


def graphs_of(network: nn.Module, described: Described, samples: Batch) -> dict[str, Graph]:
    """The graphs of a network behind its preprocessing, on the CPU; `described` is the manifest's input."""
    preprocess, generative = parts_of(network)
    sample: Described = {name: described[name] for name in ("dtype", "shape", "columns") if name in described}
    labels = [{"name": "label", "dtype": "int64", "shape": []}] if generative.num_classes else []
    classes = (samples.targets,) if generative.num_classes else ()
    spread = preprocess.std.tolist() if isinstance(preprocess, TabularPreprocess) else []
    of_sample = float(LEVEL) if sample["dtype"] == "uint8" else TOLERANCE * max([1.0, *spread])
    code = {"name": "code", "dtype": "float32", "shape": [generative.code_dim]}
    codes = torch.randn(len(samples.inputs), generative.code_dim, generator=torch.Generator().manual_seed(0))
    decoder = Graph(
        Sampler(preprocess, generative).eval(),
        [code, *labels],
        [{"name": "sample", **sample}],
        (codes, *classes),
        {"sample": of_sample},
    )
    if not isinstance(generative, CodingNetwork):
        return {"model": decoder, "decoder": decoder}
    encoder, judge = _Encoder(preprocess, generative).eval(), _Judge(preprocess, generative).eval()
    with torch.inference_mode():
        codes = encoder(samples.inputs, *classes)
        _, error_N, score_N = judge(samples.inputs, *classes)
    numbers: list[dict[str, Any]] = [{"name": name, "dtype": "float32", "shape": []} for name in ("error", "score")]
    model = Graph(
        judge,
        [described, *labels],
        [{"name": "reconstruction", **sample}, *numbers],
        (samples.inputs, *classes),
        {"reconstruction": of_sample, "error": _share(error_N), "score": _share(score_N)},
    )
    encodes = Graph(encoder, [described, *labels], [code], (samples.inputs, *classes), {"code": _share(codes)})
    return {"model": model, "encoder": encodes, "decoder": decoder}


def _share(tensor: Tensor) -> float:
    return TOLERANCE * max(1.0, float(tensor.abs().max()))
