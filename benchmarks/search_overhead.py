"""What a search costs beside its trainings, and what a second worker gains.

Overhead: a search of so many trials by one worker against a bare Optuna loop in one process that calls the same
training function with the same parameters and settings, both with one thread on the same core; gateway and database
have the other. The rounds are paired; asked is at most 15 %.
Workers: the same search by one worker on one core, and by two on a core each; asked is 1.7 times as fast.

A search is timed by the database's clock, from the claim of its first trial to the end of its last; what it does
after that, to train the best once more and to export it, a loop of trials has not. Run with
`python -m benchmarks.search_overhead [--trials 8 --rounds 3 --epochs 40]`, on a machine that does nothing else.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import torch

from benchmarks.training_throughput import Silent
from models.data import DataSet
from models.run import JobContext
from models.search.history import History
from models.search.pruning import Judge
from models.search.space import configured
from models.search.training import train_once
from services.images import decode, fit
from services.pictures import to_png
from tests.stack import COMMANDS, Stack, wait_until

SPACE: dict[str, Any] = {
    "training.optimizer.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "hyperparameters.dropout": {"low": 0.0, "high": 0.5},
}
CORES = sorted(os.sched_getaffinity(0))


def search(stack: Stack, trials: int, epochs: int, parallelism: int) -> tuple[float, dict[str, Any]]:
    """Seconds from the first trial's start to the last one's end, and the search's resolved request."""
    body = {
        "kind": "search",
        "architecture": "lenet",
        "dataset": "digits",
        "strategy": "random",
        "trials": trials,
        "parallelism": parallelism,
        "space": SPACE,
        "training": {"epochs": epochs, "device": "cpu"},
    }
    job_id = stack.submit(body)["id"]
    stack.http.get(f"/v1/jobs/{job_id}/events", timeout=3600).raise_for_status()  # ends with the job; no polling
    job = stack.job(job_id)
    assert job["state"] == "succeeded", job["error"]
    rows = stack.get("/v1/jobs", parent_id=job["id"], limit=1000)["items"]
    assert [row["state"] for row in rows] == ["succeeded"] * trials
    first, last = min(row["started_at"] for row in rows), max(row["finished_at"] for row in rows)
    parameters = [item["parameters"] for item in stack.get(f"/v1/jobs/{job['id']}/trials", limit=1000)["items"]]
    return (datetime.fromisoformat(last) - datetime.fromisoformat(first)).total_seconds(), {
        **job["request"],
        "id": job["id"],
        "asked": parameters,
    }


def bare_loop(data: Path, request: dict[str, Any]) -> float:
    """Seconds of an Optuna study that trains with the parameters that the search had, with one thread."""
    torch.set_num_threads(1)
    dataset = DataSet.open(data)
    history = History.of(request, {"id": request["id"], "number": 0, "trials": []})
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    for parameters in request["asked"]:
        study.enqueue_trial(history.space.inside(parameters))

    def objective(trial: optuna.Trial) -> float:
        with tempfile.TemporaryDirectory() as scratch:
            context = context_of(request, data, Path(scratch))
            trained = configured(request, history.space.suggest(trial))
            values = train_once(context, trained, dataset, history, Judge(request, history, 0)).values
        return values[history.objectives[0].metric]

    started_at = time.perf_counter()
    study.optimize(objective, n_trials=len(request["asked"]))
    return time.perf_counter() - started_at


def context_of(request: dict[str, Any], data: Path, scratch: Path) -> JobContext:
    """A job's context that reports to nobody and never saves a checkpoint."""
    return JobContext(
        kind="trial",
        request=request,
        attempt=1,
        scratch=scratch,
        checkpoints=scratch,
        checkpoint_interval_seconds=1e9,
        threads=1,
        dataset=data,
        report=Silent(),
        decode_image=decode,
        fit_image=fit,
        encode_png=to_png,
    )


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started meanwhile has this core alone, and so one thread."""
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, set(CORES))


@contextmanager
def workers(home: Path, cores: Sequence[int]) -> Iterator[Stack]:
    """A stack with a worker on each of these cores."""
    with Stack(home, without=("worker",)) as stack:
        for core in cores:
            with on_core(core):
                stack.start(f"worker-{core}", COMMANDS["worker"])
        announced = len(cores) + 1  # the ingester is one too
        wait_until(lambda: len(stack.get("/v1/system")["workers"]) == announced, "the workers' announcement", 120)
        search(stack, 2 * len(cores), 1, len(cores))  # a worker's first job finds nothing warm
        yield stack


def overhead(arguments: argparse.Namespace) -> None:
    """Print the table of the first comparison."""
    rounds = []
    with tempfile.TemporaryDirectory() as home, workers(Path(home), CORES[:1]) as stack:
        digest = stack.get("/v1/datasets/digits")["digest"].removeprefix("sha256:")
        with on_core(CORES[0]):
            bare_loop(stack.settings.datasets / digest, search(stack, 1, 1, 1)[1])  # so that it is as warm as a worker
        for _ in range(arguments.rounds):
            ours, request = search(stack, arguments.trials, arguments.epochs, 1)
            with on_core(CORES[0]):
                rounds.append((ours, bare_loop(stack.settings.datasets / digest, request)))
    ours, bare = (statistics.median(column) for column in zip(*rounds, strict=True))
    share = statistics.median(ours / bare - 1 for ours, bare in rounds)
    print(f"| {arguments.trials} trials, {arguments.rounds} rounds | search | bare loop | a trial | overhead |")
    print("|---|---|---|---|---|")
    print(f"| lenet on digits, {arguments.epochs} epochs | {ours:.1f} s | {bare:.1f} s | ", end="")
    print(f"{bare / arguments.trials:.2f} s | {share:+.1%} |", flush=True)


def speed_up(arguments: argparse.Namespace) -> None:
    """Print the table of the second comparison."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(arguments.rounds):
        for count, found in seconds.items():
            with tempfile.TemporaryDirectory() as home, workers(Path(home), CORES[:count]) as stack:
                found.append(search(stack, arguments.trials, arguments.epochs, count)[0])
    one, two = (statistics.median(found) for found in seconds.values())
    gain = statistics.median(a / b for a, b in zip(*seconds.values(), strict=True))
    print(f"\n| {arguments.trials} trials, {arguments.rounds} rounds | one worker | two workers | times as fast |")
    print("|---|---|---|---|")
    print(f"| lenet on digits, {arguments.epochs} epochs, a core each | {one:.1f} s | {two:.1f} s | {gain:.2f} |")


def main() -> None:
    """Both comparisons."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search_overhead")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()
    overhead(arguments)
    if len(CORES) > 1:
        speed_up(arguments)


if __name__ == "__main__":
    main()
