"""Does the gradient reach the first layer? Measured at the start, as norms of the loss's slope at each layer's output.

Where they shrink from the last layer to the first, the first learns slowly or not at all (Hochreiter 1991; Glorot and
Bengio 2010, Understanding the difficulty of training deep feedforward neural networks); where they grow, steps explode.
"""

from collections.abc import Callable
from math import nan
from typing import Any

import torch
from torch import Tensor, nn

from models.diagnosis.finding import Finding, Verdict, above
from models.diagnosis.subject import Subject, named, weighted
from models.evaluation.charts import Chart, Series
from models.hooks import watched

FADED, VANISHED = 1e-4, 1e-6
GROWN, EXPLODED = 1e3, 1e6
TINY = 1e-30
NONE = (
    "another `initialization`: with weights that are all alike or 0, units cannot come to differ",
    "another activation, if `activations` finds dead or saturated units",
)
VANISHING = (
    "relu or its kin in place of sigmoid and tanh",
    "`initialization` he for relu, xavier for tanh",
    "batch normalisation, shortcuts around layers (resnet), or fewer layers",
)
EXPLODING = (
    "`training.gradient_clip` 1.0",
    "smaller initial weights: `initialization` xavier or he",
    "batch normalisation",
)


def check(subject: Subject) -> Finding:
    """One forward and one backward pass of some rows."""
    network, batch = subject.network(), subject.batch()
    layers = gradient_flow(network, lambda: subject.loss(network, batch))
    ratio = _ratio(layers)
    numbers = {"layers": layers, "ratio": ratio}
    files = subject.draw("gradients", _chart(subject, layers))
    untouched = [layer["layer"] for layer in layers if layer["weights"] < TINY]
    if untouched:
        detail = f"No gradient reaches the weights of {named(untouched)}: they will not be learned."
        return Finding("bad", detail, numbers, NONE, files)
    detail = f"The slope at the first layer is {ratio:.2g} times that at the last, over {len(layers)} layers."
    vanishing: Verdict = above(1 / ratio, 1 / FADED, 1 / VANISHED)
    if vanishing != "good":
        return Finding(vanishing, f"{detail} It vanishes on the way.", numbers, VANISHING, files)
    return Finding(above(ratio, GROWN, EXPLODED), detail, numbers, EXPLODING, files)


def gradient_flow(network: nn.Module, loss_of: Callable[[], Tensor]) -> list[dict[str, Any]]:
    """For each layer with weights, in the order of the forward pass, norms of the loss's slope.

    `outputs` by the layer's outputs, `weights` by its weights, and `relative`, the latter over the weights' own norm.
    """
    outputs: dict[str, Tensor] = {}
    layers = weighted(network)

    def see(name: str, layer: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            output.retain_grad()
            outputs[name] = output

    with watched(layers, see):
        loss = loss_of()
    torch.autograd.backward(loss)
    by_name = dict(layers)
    return [{"layer": name, **_norms(by_name[name], output)} for name, output in outputs.items()]


def _norms(layer: nn.Module, output: Tensor) -> dict[str, float]:
    own = [parameter for parameter in layer.parameters(recurse=False) if parameter.ndim > 1]
    slopes = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in own]
    of_weights = float(nn.utils.get_total_norm(slopes))
    size = float(nn.utils.get_total_norm(own))
    return {
        "outputs": 0.0 if output.grad is None else float(output.grad.norm()),
        "weights": of_weights,
        "relative": of_weights / size if size > 0 else 0.0,
    }


def _ratio(layers: list[dict[str, Any]]) -> float:
    return max(float(layers[0]["outputs"]), TINY) / max(float(layers[-1]["outputs"]), TINY)


def _chart(subject: Subject, layers: list[dict[str, Any]]) -> Chart:
    names = [layer["layer"] for layer in layers]
    series = [
        Series(f"slope by {what}", [layer[what] or nan for layer in layers], names, "points")
        for what in ("outputs", "weights")
    ]
    return Chart(f"Norm of the gradient: {subject.title}", "norm", "", series, log_x=True)
