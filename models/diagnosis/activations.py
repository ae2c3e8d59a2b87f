"""What comes through the layers, at the start and after some steps: signal, dead units, saturation.

A rectified unit that is 0 for every row has no gradient and stays dead. A sigmoid or tanh at its ends has next to none
(Glorot and Bengio 2010). The signal of a layer is how far its units' values differ from row to row.
Shapes: U units (of maps the channels), V values of a unit: rows, and of maps places.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import nan
from typing import Any

import torch
from torch import Tensor, nn

from models.diagnosis.finding import Finding, Verdict, above, worst
from models.diagnosis.subject import Subject, named, weighted
from models.evaluation.charts import Chart, Series
from models.hooks import watched

STEPS = 50
RECTIFIED = (nn.ReLU, nn.ReLU6)
BOUNDED = {nn.Sigmoid: (0.0, 1.0), nn.Tanh: (-1.0, 1.0)}
"""Where each ends; within 2.5 % of its range from an end it is saturated."""
SQUASHED = (nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.Softmax)
END_SHARE = 0.025
MANY_DEAD, MOST_DEAD = 0.5, 0.9
MANY_SATURATED, MOST_SATURATED = 0.5, 0.9
FADED, VANISHED = 1e-2, 1e-4
DEAD = (
    "a lower `training.optimizer.learning_rate`: one huge step kills units for good",
    "leaky_relu or elu in place of relu",
    "another `initialization`, without large negative biases",
)
SATURATED = (
    "smaller initial weights: `initialization` xavier",
    "batch normalisation",
    "relu in place of sigmoid and tanh",
)
FADING = (
    "larger initial weights: `initialization` he for relu, xavier for tanh",
    "batch normalisation",
    "fewer layers",
)


def check(subject: Subject) -> Finding:
    """Look at some rows on their way through the layers, before training and after its first steps."""
    network, batch = subject.network(), subject.batch()
    run = partial(subject.task.outputs, network, batch.inputs, batch.targets)
    before = activation_flow(network, run)
    diverged = subject.take_steps(lambda trainer, loss: trainer.step < STEPS, network=network)
    after = [] if diverged is not None else activation_flow(network, run)
    numbers = {"start": before, "steps": STEPS, "after": after, "diverged": diverged}
    files = subject.draw("activations", _chart(subject, before, after))
    if diverged is not None:
        return Finding(
            "bad", f"Training diverged before it could be looked at again: {diverged}", numbers, DEAD[:1], files
        )
    verdicts, said, remedies = [], [], []
    for when, layers in (("at the start", before), (f"after {STEPS} steps", after)):
        for verdict, sentence, remedy in judged(layers):
            verdicts.append(verdict)
            said.append(f"{sentence} {when}")
            remedies += [each for each in remedy if each not in remedies]
    if not said:
        detail = f"The signal goes through: {_summary(after)}."
        return Finding("good", detail, numbers, files=files)
    return Finding(worst(verdicts), f"{'; '.join(said)}.".capitalize(), numbers, tuple(remedies), files)


def activation_flow(network: nn.Module, run: Callable[[], object]) -> list[dict[str, Any]]:
    """For each layer with weights and each activation, in the order of the forward pass, what comes out of it.

    `run` runs the network on some rows.

    `mean`, `std` and the share of `zeros` of all values; `signal`, the mean of the units' deviations over the rows;
    the share of `dead` units of a rectifier and of `saturated` values of a bounded activation, None of others.
    """
    activations: tuple[type[nn.Module], ...] = (*RECTIFIED, *BOUNDED, *SQUASHED)
    watching = weighted(network)
    known = {id(layer) for _, layer in watching}
    watching += [
        (name.removeprefix("1."), layer)
        for name, layer in network.named_modules()
        if isinstance(layer, activations) and id(layer) not in known
    ]
    found: list[dict[str, Any]] = []

    def see(name: str, layer: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            found.append({"layer": name, "kind": type(layer).__name__, **_statistics(layer, output.detach().float())})

    with torch.no_grad(), watched(watching, see):
        run()
    return found


def judged(layers: Sequence[dict[str, Any]]) -> list[tuple[Verdict, str, Sequence[str]]]:
    """What is amiss: the verdict, the beginning of a sentence, and what to try."""
    found: list[tuple[Verdict, str, Sequence[str]]] = []
    for what, thresholds, remedies in (
        ("dead", (MANY_DEAD, MOST_DEAD), DEAD),
        ("saturated", (MANY_SATURATED, MOST_SATURATED), SATURATED),
    ):
        wrong = {layer["layer"]: layer[what] for layer in layers if (layer[what] or 0.0) >= thresholds[0]}
        if wrong:
            unit = "of the units are dead" if what == "dead" else "of the values are saturated"
            share = max(wrong.values())
            found.append((above(share, *thresholds), f"{share:.0%} {unit} in {named(list(wrong))}", remedies))
    hidden = [layer for layer in layers[:-1] if layer["signal"] is not None]
    if len(hidden) > 1 and not found:
        ratio = hidden[-1]["signal"] / max(hidden[0]["signal"], 1e-30)
        if ratio < FADED:
            verdict = above(1 / max(ratio, 1e-30), 1 / FADED, 1 / VANISHED)
            found.append((verdict, f"the signal of the last hidden layer is {ratio:.1g} of the first one's", FADING))
    return found


def _statistics(layer: nn.Module, output: Tensor) -> dict[str, Any]:
    unit_axis = 1 if output.ndim in (2, 4) else output.ndim - 1
    values_UV = output.transpose(0, unit_axis).flatten(1)
    signal = float(values_UV.std(dim=1, correction=0).mean())
    return {
        "mean": float(output.mean()),
        "std": float(output.std(correction=0)),
        "zeros": float((output == 0).float().mean()),
        "signal": signal,
        "dead": float((values_UV == 0).all(dim=1).float().mean()) if isinstance(layer, RECTIFIED) else None,
        "saturated": _saturated(layer, output),
    }


def _saturated(layer: nn.Module, output: Tensor) -> float | None:
    for kind, (low, high) in BOUNDED.items():
        if isinstance(layer, kind):
            margin = END_SHARE * (high - low)
            return float(((output < low + margin) | (output > high - margin)).float().mean())
    return None


def _summary(layers: Sequence[dict[str, Any]]) -> str:
    dead = [layer["dead"] for layer in layers if layer["dead"] is not None]
    saturated = [layer["saturated"] for layer in layers if layer["saturated"] is not None]
    parts = [f"deviation {layers[0]['std']:.2g} after the first layer, {layers[-1]['std']:.2g} after the last"]
    parts += [f"at most {max(dead):.0%} dead units in a layer"] if dead else []
    parts += [f"at most {max(saturated):.0%} saturated values in a layer"] if saturated else []
    return ", ".join(parts)


def _chart(subject: Subject, before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> Chart:
    series = [
        Series(when, [layer["signal"] or nan for layer in layers], [layer["layer"] for layer in layers], "points")
        for when, layers in (("at the start", before), (f"after {STEPS} steps", after))
        if layers
    ]
    return Chart(f"Signal of the layers: {subject.title}", "deviation over the rows", "", series, log_x=True)
