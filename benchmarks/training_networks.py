"""Training speed of several networks: our trainer beside a loop written by hand, and what bfloat16 gains.

The same loops as in `training_throughput`, for each network on the same images. Rounds are taken in turns and ratios
within a round. Run with `python -m benchmarks.training_networks [--rounds N] [--batches N] [NAME ...]`.
"""

import argparse
import statistics
import time
from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks.training_throughput import BATCH_SIZE, Loop, data, train_by_hand, train_by_syllabus
from models import registry
from models.training.trainer import seed_everything

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"hidden_dims": [256, 128, 100]},
    "lenet": {},
    "convnet": {},
    "resnet": {"depth": 18, "width_multiplier": 0.25},
    "mobilenet": {"width_multiplier": 0.25},
    "vgg": {"depth": 11, "width_multiplier": 0.25, "batch_norm": True, "dense_dim": 512},
}
OURS, HAND, TUNED, HALF = "Syllabus", "by hand", "by hand, tuned", "Syllabus, bfloat16"


def loops(name: str) -> dict[str, Loop]:
    """The loops over one network."""

    def network() -> nn.Module:
        return registry.get(name).configure(NETWORKS[name]).build((1, 28, 28), 10)

    plain, tuned = (
        partial(train_by_hand, fused=fused, memory_format=layout)
        for fused, layout in ((None, torch.contiguous_format), (True, torch.channels_last))
    )
    return {
        OURS: lambda images, labels: train_by_syllabus(images, labels, network()),
        HAND: lambda images, labels: plain(images, labels, network()),
        TUNED: lambda images, labels: tuned(images, labels, network()),
        HALF: lambda images, labels: train_by_syllabus(images, labels, network(), "bfloat16"),
    }


def measure(name: str, rounds: int, batches: int) -> dict[str, list[float]]:
    """Seconds of each loop by round; one more round before them warms up."""
    images, labels = data(batches * BATCH_SIZE)
    chosen = loops(name)
    seconds: dict[str, list[float]] = {loop: [] for loop in chosen}
    for number in range(rounds + 1):
        for loop in sorted(chosen, reverse=number % 2 == 0):
            seed_everything(number)
            rows = len(images) if number else 4 * BATCH_SIZE
            started_at = time.perf_counter()
            chosen[loop](images[:rows], labels[:rows])
            if number:
                seconds[loop].append(time.perf_counter() - started_at)
    return seconds


def main() -> None:
    """Print a row for each network."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*NETWORKS, []], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=100)
    options = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, {options.rounds} rounds of {options.batches} batches of {BATCH_SIZE}\n")
    print(f"| network | images/s | to {HAND} | to {TUNED} | gain of bfloat16 |\n|---|---|---|---|---|")
    for name in options.names or NETWORKS:
        seconds = measure(name, options.rounds, options.batches)
        speed = options.batches * BATCH_SIZE / statistics.median(seconds[OURS])
        ratios = [_ratio(seconds[OURS], seconds[HAND]), _ratio(seconds[OURS], seconds[TUNED])]
        gain = _ratio(seconds[HALF], seconds[OURS])
        print(f"| `{name}` | {speed:,.0f} | {ratios[0]} | {ratios[1]} | {gain} |", flush=True)


def _ratio(ours: list[float], theirs: list[float]) -> str:
    ratios = [other / own for own, other in zip(ours, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f}× ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
