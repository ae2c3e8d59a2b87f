"""What a trial is judged by: validation metrics, the latency of an answer and the number of parameters."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import nn

from models.errors import JobError
from models.export import export
from models.graphs import on_cpu
from models.inference import Session
from models.search.history import Objective
from models.training.plan import Plan

LATENCY_WARM_UPS = 10
LATENCY_ANSWERS = 100


def measure(
    objectives: Sequence[Objective],
    validation: Mapping[str, float],
    plan: Plan,
    network: nn.Module,
    scratch: Path,
    threads: int,
) -> dict[str, float]:
    """The values of a trial by metric: all that `validation` has, and of the others those that are asked for.

    latency_ms: of one answer of ONNX Runtime, the median of `LATENCY_ANSWERS`. parameters: how many there are.

    Raises:
        JobError: `unsuitable_metric`, an objective is none of these; `unmeasurable`, it is not a finite number.
    """
    values = dict(validation)
    wanted = [objective.metric for objective in objectives]
    if "parameters" in wanted:
        values["parameters"] = float(sum(parameter.numel() for parameter in network.parameters()))
    if "latency_ms" in wanted:
        values["latency_ms"] = latency_ms(plan, network, scratch, threads)
    for metric in wanted:
        if metric not in values:
            known = ", ".join([*validation, "latency_ms", "parameters"])
            raise JobError("unsuitable_metric", f"A trial has no {metric}: it has {known}.")
        if not isfinite(values[metric]):
            raise JobError("unmeasurable", f"The trial's {metric} is {values[metric]}.")
    return {name: value for name, value in values.items() if isfinite(value)}


def latency_ms(plan: Plan, network: nn.Module, scratch: Path, threads: int) -> float:
    """Milliseconds that ONNX Runtime takes for one input of the main graph at a time."""
    examples = plan.splits["train"].gather(torch.arange(2)).to("cpu")
    graph = plan.task.graphs(on_cpu(network), plan.dataset.input, examples)["model"]
    path = scratch / "measured.onnx"
    export(graph, {}, path)
    session = Session(path, threads)
    one = tuple(example[:1].numpy() for example in graph.examples)
    seconds = []
    for _ in range(LATENCY_WARM_UPS + LATENCY_ANSWERS):
        started_at = perf_counter()
        session.run(one)
        seconds.append(perf_counter() - started_at)
    return 1000 * median(seconds[LATENCY_WARM_UPS:])
