"""How large are the steps beside the weights? A healthy update is about a thousandth of a layer's weights.

r = ‖w_after - w_before‖ / ‖w_start‖ of each layer at each of the first steps: beside the weights as they were drawn,
since huge steps soon make huge weights, beside which they look small. Source: Karpathy, Johnson and Li 2015, CS231n:
Convolutional neural networks for visual recognition.
"""

from collections.abc import Mapping, Sequence
from math import nan
from statistics import median
from typing import Any

from torch import Tensor, nn

from models.diagnosis.finding import Finding, Verdict, above, worst
from models.diagnosis.subject import Subject, named, weighted
from models.evaluation.charts import Chart, Series
from models.training.trainer import Trainer

STEPS = 50
HIGH, FAR_TOO_HIGH = 0.2, 1.0
LOW, FAR_TOO_LOW = 3e-5, 1e-6
SMALLEST = 1e-12
SLOWER = (
    "a lower `training.optimizer.learning_rate`",
    "`training.gradient_clip`",
    "a warm-up: `training.scheduler` one_cycle",
)
FASTER = ("a higher `training.optimizer.learning_rate`", "another `initialization`, if `gradients` says so")


def check(subject: Subject) -> Finding:
    """Compare the weights before and after each of the first steps."""
    network = subject.network()
    layers = {name: _weights(layer) for name, layer in weighted(network)}
    before = {name: [weight.detach().clone() for weight in weights] for name, weights in layers.items()}
    sizes = {name: _norm(weights) for name, weights in before.items()}
    ratios: dict[str, list[float | None]] = {name: [] for name in layers}

    def see(trainer: Trainer, loss: float) -> bool:
        for name, weights in layers.items():
            size = sizes[name] or _norm(before[name])  # of weights that begin as 0, those before the step
            moved = _norm([new.detach() - old for new, old in zip(weights, before[name], strict=True)])
            ratios[name].append(moved / size if size > 0 else None)
            before[name] = [weight.detach().clone() for weight in weights]
        return trainer.step < STEPS

    diverged = subject.take_steps(see, network=network)
    medians = {name: _median(values) for name, values in ratios.items()}
    numbers: dict[str, Any] = {"steps": max(map(len, ratios.values())), "median": medians, "diverged": diverged}
    files = subject.draw("updates", _chart(subject, ratios))
    if diverged is not None:
        return Finding("bad", f"Training diverged within {STEPS} steps: {diverged}", numbers, SLOWER, files)
    verdict, detail, remedies = _judged(medians)
    return Finding(verdict, detail, numbers, remedies, files)


def _judged(medians: Mapping[str, float | None]) -> tuple[Verdict, str, tuple[str, ...]]:
    known = {name: value for name, value in medians.items() if value is not None}
    still = [name for name, value in medians.items() if value is None or value < SMALLEST]
    if still:
        return "bad", f"The weights of {named(still)} do not move.", FASTER
    largest, least = max(known, key=known.__getitem__), min(known, key=known.__getitem__)
    detail = (
        f"A step moves the weights by {known[least]:.1e} ({least}) to {known[largest]:.1e} ({largest}) of their size."
    )
    too_high = above(known[largest], HIGH, FAR_TOO_HIGH)
    too_low = above(1 / median(known.values()), 1 / LOW, 1 / FAR_TOO_LOW)
    if too_high != "good":
        return too_high, detail, SLOWER
    return worst([too_high, too_low]), detail, FASTER


def _weights(layer: nn.Module) -> list[Tensor]:
    return [parameter for parameter in layer.parameters(recurse=False) if parameter.ndim > 1]


def _norm(weights: Sequence[Tensor]) -> float:
    return float(nn.utils.get_total_norm(weights))


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _chart(subject: Subject, ratios: Mapping[str, Sequence[float | None]]) -> Chart:
    shown = list(ratios.items())
    every = max(1, len(shown) // 8)  # more lines than that cannot be told apart
    series = [
        Series(name, range(1, len(values) + 1), [value or nan for value in values])
        for name, values in (shown[::every] if len(shown) > 8 else shown)
    ]
    return Chart(f"Size of the steps: {subject.title}", "step", "update / weights", series, log_y=True)
