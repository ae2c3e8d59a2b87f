"""ResNet-18 under three times the load it can bear, and then at rest.

Requests come by the clock and must be answered within a deadline, which they name in `X-Timeout-Ms`. Goodput is
answers 200 within the deadline, a second; the load that can be borne is what 32 connections get in a closed
loop just before. Run with `python -m benchmarks.serving.overload [--rounds N] [--seconds N] [--home DIR]`.
"""

import asyncio
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import uvloop

from benchmarks.serving import contenders, options, recipes, turns
from benchmarks.serving.contenders import Contender
from benchmarks.serving.open_loop import BROKEN, Client, Outcome
from benchmarks.serving.server import running
from benchmarks.serving.wrk import Load, Post, load
from tests.stack import free_port

CONNECTIONS = 32
DEADLINE_SECONDS = 0.5
FACTORS = (1, 3)
IDLE_SECONDS = 20
SETTLE_SECONDS = 2
# An answer is normal again when it takes at most this many times what it took before the load.
NORMAL = 2
PROBES = 10
RECOVERY_LIMIT_SECONDS = 60


@dataclass(frozen=True)
class Round:
    """One load: what became of its requests, and what came after; sizes in MiB, resident, before it and at its end."""

    offered: float
    outcomes: Sequence[Outcome]
    recovery_seconds: float
    before: float
    after: float

    @property
    def accepted(self) -> list[float]:
        """Seconds to each answer 200."""
        return [each.seconds for each in self.outcomes if each.status == 200]

    @property
    def goodput(self) -> float:
        """Answers 200 within the deadline, a second."""
        return sum(each <= DEADLINE_SECONDS for each in self.accepted) * self.offered / len(self.outcomes)

    def percentile_ms(self, percent: float) -> float:
        """Of the time to an answer 200."""
        return float(np.percentile(self.accepted or [np.nan], percent)) * 1000

    def share(self, status: int) -> float:
        """The share of requests that ended so."""
        return sum(each.status == status for each in self.outcomes) / len(self.outcomes)


@dataclass(frozen=True)
class Measured:
    """What 32 connections get, the rounds of each load, and the share of a core that the gateway takes at rest."""

    closed_loop: list[Load]
    rounds: dict[int, list[Round]]
    idle_share: float


async def offer(process: psutil.Process, port: int, post: Post, rate: float, seconds: float) -> Round:
    """Offer one load with deadlines; when it stops, ask without one until an answer is normal."""
    client = Client(port)
    usual = statistics.median([(await client.ask(post)).seconds for _ in range(PROBES)])
    before = resident(process)
    hasty = Post(post.path, post.body, {**post.headers, "X-Timeout-Ms": f"{DEADLINE_SECONDS * 1000:.0f}"})
    offering = asyncio.create_task(client.offer(hasty, rate, seconds))
    await asyncio.sleep(seconds)
    after, stopped_at = resident(process), time.monotonic()
    recovery = math.inf
    while math.isinf(recovery) and time.monotonic() - stopped_at < RECOVERY_LIMIT_SECONDS:
        answer = await client.ask(post)
        if answer.status == 200 and answer.seconds <= NORMAL * usual:
            recovery = time.monotonic() - stopped_at
    outcomes = await offering
    await client.close()
    return Round(rate, outcomes, recovery, before, after)


def resident(process: psutil.Process) -> float:
    """Resident MiB."""
    return float(process.memory_info().rss) / 2**20


def idle_share(process: psutil.Process) -> float:
    """The share of one core that the process takes when nobody asks."""
    time.sleep(SETTLE_SECONDS)
    times = [process.cpu_times()]
    time.sleep(IDLE_SECONDS)
    times.append(process.cpu_times())
    spent = [each.user + each.system for each in times]
    return (spent[1] - spent[0]) / IDLE_SECONDS


def measure(gateway: Contender, expected: Sequence[float], num_rounds: int, seconds: int) -> Measured:
    """Start the gateway; find what it can bear, offer that and its multiple, again and again."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        launch = gateway.launch(port, Path(directory))
        is_ready = partial(turns.answers, gateway, port, expected)
        with running(gateway.name, launch.command, launch.environment, Path(directory), is_ready) as process:
            # Where that is allowed, so that the clock of the load does not wait for the load.
            with suppress(PermissionError):
                os.setpriority(os.PRIO_PROCESS, 0, -10)
            load(gateway.post, port, CONNECTIONS, turns.WARM_UP_SECONDS)
            closed_loop: list[Load] = []
            rounds: dict[int, list[Round]] = {factor: [] for factor in FACTORS}
            for number in range(num_rounds):
                closed_loop.append(load(gateway.post, port, CONNECTIONS, seconds))
                for factor in FACTORS:
                    print(f"Round {number + 1}: {factor} times the load", file=sys.stderr)
                    rate = factor * closed_loop[-1].requests_per_second
                    rounds[factor].append(uvloop.run(offer(process, port, gateway.post, rate, seconds)))
            return Measured(closed_loop, rounds, idle_share(process))


def main() -> None:
    """Print what became of both loads, what came after, and the gateway at rest."""
    chosen = options.parse(__doc__)
    with recipes.home(chosen.home) as home:
        trained = recipes.resnet(home)
        image = Post("", recipes.jpeg(), {"Content-Type": "image/jpeg"})
        measured = measure(
            contenders.ours(trained, image), recipes.expected(trained, image.body), chosen.rounds, chosen.seconds
        )
    print(f"A JPEG of {len(image.body)} bytes, {CONNECTIONS} connections in a closed loop\n")
    print("| | requests/s | p50, ms | p99, ms | errors |\n|---|---|---|---|---|")
    print(turns.row("ResNet-18", measured.closed_loop))
    _print(measured.rounds)
    print(f"\nAt rest, the model loaded: {measured.idle_share:.2%} of one core over {IDLE_SECONDS} s.")


def _print(rounds: dict[int, list[Round]]) -> None:
    print(f"\n{len(rounds[1])} rounds in turns, deadline {DEADLINE_SECONDS * 1000:.0f} ms\n")
    print(
        "| load | offered/s | goodput/s | of the peak | 429 | 504 | broken | p50, ms | p99, ms of 200s "
        "| normal again after | resident, before and after | sent late by, p99 |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    for factor, runs in rounds.items():
        print(f"| {factor}× {_row(runs, rounds[1])} |")


def _row(runs: Sequence[Round], single: Sequence[Round]) -> str:
    ratios = [run.goodput / peak.goodput if peak.goodput else np.nan for run, peak in zip(runs, single, strict=True)]
    late = [float(np.percentile([each.late for each in run.outcomes], 99)) * 1000 for run in runs]
    cells = (
        f"{statistics.median(run.offered for run in runs):.0f}",
        f"{statistics.median(run.goodput for run in runs):.1f}",
        f"{statistics.median(ratios):.0%} ({min(ratios):.0%} to {max(ratios):.0%})",
        *(f"{statistics.median(run.share(status) for run in runs):.1%}" for status in (429, 504, BROKEN)),
        *(f"{statistics.median(run.percentile_ms(percent) for run in runs):.0f}" for percent in (50, 99)),
        f"{statistics.median(run.recovery_seconds for run in runs) * 1000:.0f} ms",
        f"{runs[0].before:.0f} and {runs[-1].after:.0f} MiB",
        f"{statistics.median(late):.1f} ms",
    )
    return "".join(f"| {cell} " for cell in cells).rstrip()


if __name__ == "__main__":
    main()
