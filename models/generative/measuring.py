"""What a network with an encoder says of rows, computed by torch on the CPU, in batches.

A network is given with its preprocessing before it. Shapes: N examples.
"""

from collections.abc import Iterator
from math import prod
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.examples import Examples
from models.generative.network import CodingNetwork, parts_of
from models.inference import BATCH_SIZE
from models.metrics.neighbours import copying, nearest

Numbers = NDArray[np.float32]
COSTLY_ROWS = 1000
"""Rows, or a batch more, from the first on, of which what takes many passes is measured."""
MAX_COMPARED = 256
"""Samples, and as many held-out rows, whose nearest training rows are looked for."""
MAX_PRODUCTS = 2**35
"""Products that this may take; of large images or many rows, fewer are compared."""


def values(network: nn.Module, examples: Examples) -> Iterator[tuple[Tensor, Tensor | None]]:
    """The network's inputs and classes of all rows, batch after batch."""
    preprocess, generative = parts_of(network)
    for batch in examples.batches(BATCH_SIZE):
        inputs, targets, _ = batch.to("cpu")
        yield preprocess(inputs), targets if generative.num_classes else None


def errors_of_the_mean(network: nn.Module, train: Examples, examples: Examples) -> Numbers:
    """The mean squared error (N,) of answering each row with the mean of the training rows."""
    total = sum((x.sum(dim=0, dtype=torch.float64) for x, _ in values(network, train)), start=torch.zeros(()))
    mean = (total / len(train)).float()
    errors = [(x - mean).square().flatten(1).mean(dim=1) for x, _ in values(network, examples)]
    found: Numbers = torch.cat(errors).numpy()
    return found


@torch.no_grad()
def scores(network: nn.Module, examples: Examples) -> Numbers:
    """The anomaly score (N,) of each row."""
    generative = cast(CodingNetwork, parts_of(network)[1])
    found: Numbers = torch.cat([generative.judge(x, labels_N)[1] for x, labels_N in values(network, examples)]).numpy()
    return found


@torch.no_grad()
def quality(network: nn.Module, examples: Examples) -> dict[str, float]:
    """Means over the rows of all that the network measures of itself; of what is costly, over some rows."""
    generative = cast(CodingNetwork, parts_of(network)[1])
    found: dict[str, list[Tensor]] = {}
    costly_rows = 0
    for x, labels_N in values(network, examples):
        measured = generative.quality(x, labels_N)
        if costly_rows < COSTLY_ROWS:
            measured |= generative.costly_quality(x, labels_N)
            costly_rows += len(x)
        for name, each_N in measured.items():
            found.setdefault(name, []).append(each_N)
    return {name: float(torch.cat(parts).mean(dtype=torch.float64)) for name, parts in found.items()}


@torch.no_grad()
def memorised(network: nn.Module, train: Examples, held_out: Examples) -> dict[str, Any]:
    """How far samples and held-out rows are from the nearest training row, as `copying` says it.

    Of a conditional network the classes are those of the held-out rows.
    """
    preprocess, generative = parts_of(network)
    numbers = prod(preprocess.output_shape)
    count = max(1, min(MAX_COMPARED, len(held_out), MAX_PRODUCTS // (numbers * len(train))))
    rows = held_out.gather(torch.randperm(len(held_out), generator=torch.Generator().manual_seed(0))[:count])
    codes = torch.randn(count, generative.code_dim, generator=torch.Generator().manual_seed(0))
    drawn = generative.decode(codes, rows.targets.cpu() if generative.num_classes else None)
    found_2NF = torch.cat([drawn, preprocess(rows.inputs.cpu())]).flatten(1)
    return copying(*torch.split(nearest(found_2NF, (x.flatten(1) for x, _ in values(network, train))), count))
