"""Comparisons: ours and another server under the same load in turns, again and again, and the table of it."""

import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import httpx
import numpy as np

from benchmarks.serving.contenders import Contender
from benchmarks.serving.server import ServerFailed, running
from benchmarks.serving.wrk import Load, load
from tests.stack import free_port

WARM_UP_SECONDS = 1
TOLERANCE = 1e-4
# Not 404 and 405: some answer that until the model is there.
REFUSALS = (400, 413, 415, 422)

Runs = dict[int, list[Load]]


class WrongAnswer(Exception):
    """A server's probabilities are not those of the network."""


def compare(
    ours: Contender,
    others: Iterable[Contender],
    expected: Sequence[float],
    connections: Sequence[int],
    rounds: int,
    seconds: int,
) -> None:
    """Measure every pair `rounds` times and print a table a load; what does not come up is named and left out.

    Raises `ServerFailed` when it is ours that does not.
    """
    mine: dict[str, Runs] = {}
    theirs: dict[str, Runs] = {}
    for other in others:
        try:
            runs = _in_turns(ours, other, expected, connections, rounds, seconds)
        except ServerFailed as error:
            if error.name == ours.name:
                raise
            print(f"{other.name} is left out: {error}\n", flush=True)
            continue
        mine[other.name], theirs[other.name] = runs[ours.name], runs[other.name]
    for count in connections if theirs else ():
        _print_table(ours.name, _at(count, mine), _at(count, theirs), count)


def _in_turns(
    ours: Contender, other: Contender, expected: Sequence[float], connections: Sequence[int], rounds: int, seconds: int
) -> dict[str, Runs]:
    """The runs of both by name; every other round the other way round."""
    runs: dict[str, Runs] = {contender.name: defaultdict(list) for contender in (ours, other)}
    for number in range(rounds):
        for contender in (ours, other) if number % 2 == 0 else (other, ours):
            print(f"{other.name}, round {number + 1}: {contender.name}", file=sys.stderr)
            for count, found in measure(contender, expected, connections, seconds).items():
                runs[contender.name][count].append(found)
    return runs


def measure(
    contender: Contender, expected: Sequence[float], connections: Sequence[int], seconds: int
) -> dict[int, Load]:
    """Start a server, see that it answers right, and load it with each number of connections."""
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        launch = contender.launch(port, Path(directory))
        is_ready = partial(answers, contender, port, expected)
        with running(contender.name, launch.command, launch.environment, Path(directory), is_ready):
            loads = {}
            for count in connections:
                load(contender.post, port, count, WARM_UP_SECONDS)
                loads[count] = load(contender.post, port, count, seconds)
            return loads


def answers(contender: Contender, port: int, expected: Sequence[float]) -> bool:
    """Whether the server answers, and with the network's own probabilities (K).

    Raises:
        ServerFailed: it refuses the request.
        WrongAnswer: it answers something else.
    """
    post = contender.post
    try:
        answer = httpx.post(f"http://127.0.0.1:{port}{post.path}", content=post.body, headers=post.headers, timeout=10)
    except httpx.TransportError:
        return False
    if answer.status_code in REFUSALS:
        raise ServerFailed(contender.name, f"answers {answer.status_code}: {answer.text[:300]}")
    if not answer.is_success:
        return False
    if contender.probabilities is not None:
        found = contender.probabilities(answer.content)
        if not np.allclose(found, expected, atol=TOLERANCE):
            raise WrongAnswer(f"{contender.name} answers {list(found)} instead of {list(expected)}")
    return True


def row(name: str, runs: Sequence[Load]) -> str:
    """The beginning of a row: name, medians of rate and latencies, sum of errors."""
    rate, p50, p99 = (
        statistics.median(getattr(run, field) for run in runs) for field in ("requests_per_second", "p50_ms", "p99_ms")
    )
    return f"| {name} | {rate:,.0f} | {p50:.2f} | {p99:.2f} | {sum(run.errors for run in runs):,} |"


def ratio(mine: Sequence[float], theirs: Sequence[float]) -> str:
    """Median, least and most of the ratios within a pair."""
    ratios = [each / other for each, other in zip(mine, theirs, strict=True)]
    return f"{statistics.median(ratios):.2f}× ({min(ratios):.2f} to {max(ratios):.2f})"


def rates(runs: Sequence[Load]) -> list[float]:
    """Requests a second of each run."""
    return [run.requests_per_second for run in runs]


def _at(count: int, measured: dict[str, Runs]) -> dict[str, list[Load]]:
    return {name: runs[count] for name, runs in measured.items()}


def _print_table(name: str, mine: dict[str, list[Load]], theirs: dict[str, list[Load]], count: int) -> None:
    print(f"\n{count} connection{'s' * (count > 1)}, {len(next(iter(mine.values()), []))} rounds\n")
    print(f"| server | requests/s | p50, ms | p99, ms | errors | {name} is, median (least to most) |")
    print("|---|---|---|---|---|---|")
    print(f"{row(name, [run for runs in mine.values() for run in runs])} |")
    for other, runs in theirs.items():
        print(f"{row(other, runs)} {ratio(rates(mine[other]), rates(runs))} |")
