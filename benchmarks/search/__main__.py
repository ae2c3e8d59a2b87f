"""`python -m benchmarks.search [strategies|pruners|default]`: run them in this process and print their tables.

strategies: the least validation loss of as many trials by each strategy, on four data sets over ten seeds.
pruners: the epochs that a search of the same random configurations spends with and without each pruner, on digits.
default: a random search of 30 trials on digits beside the default configuration.
"""

import argparse
from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from time import process_time

import torch

from benchmarks.search.spaces import LENET, MLP
from benchmarks.search.studies import Json, bundled, conclude, request_of, search, train

LOSS = [{"metric": "val_loss", "direction": "minimize"}]
ACCURACY = [{"metric": "val_accuracy", "direction": "maximize"}]
STRATEGIES = ("random", "bayesian", "gaussian_process", "evolution")
DATASETS = ("iris", "breast_cancer", "diabetes", "wine")
PRUNERS = ("none", "median", "successive_halving", "hyperband")


def strategies(seeds: int, trials: int, datasets: Sequence[str], only: Sequence[str]) -> None:
    """A row for each data set and strategy: means over the seeds, and how often random was not better."""
    header("data set", "strategy", "least loss, mean", "deviation", "mean of last 10", "as good as random", "CPU s")
    with bundled(*datasets) as paths:
        for name in datasets:
            chance: list[float] = []
            for strategy in only:
                started_at = process_time()
                least, late = [], []
                for seed in range(seeds):
                    request = request_of(
                        architecture="mlp",
                        dataset=name,
                        strategy=strategy,
                        seed=seed,
                        dimensions=MLP,
                        objectives=LOSS,
                        training={"epochs": 10},
                    )
                    losses = [
                        record["values"]["val_loss"]
                        for record in search(paths[name], request, trials)
                        if record["values"]
                    ]
                    least.append(min(losses))
                    late.append(fmean(losses[-10:]))
                chance = chance or least
                wins = sum(own <= other for own, other in zip(least, chance, strict=True))
                row(
                    name,
                    strategy,
                    f"{fmean(least):.4f}",
                    f"{stdev(least):.4f}" if seeds > 1 else "",
                    f"{fmean(late):.3g}",
                    f"{wins} of {seeds}",
                    f"{process_time() - started_at:.0f}",
                )


def pruners(seeds: int, trials: int, epochs: int) -> None:
    """A row for each seed and pruner. A seed's configurations are the same for all."""
    header("seed", "pruner", "complete", "best val_accuracy", "its trial", "epochs", "share of epochs", "CPU s")
    with bundled("digits") as paths:
        for seed in range(seeds):
            all_epochs = 0
            for pruner in PRUNERS:
                started_at = process_time()
                request = request_of(
                    architecture="lenet",
                    dataset="digits",
                    seed=seed,
                    pruner=pruner,
                    dimensions=LENET,
                    objectives=ACCURACY,
                    training={"epochs": epochs},
                )
                records = search(paths["digits"], request, trials)
                complete = [record for record in records if record["state"] == "complete"]
                best = max(complete, key=lambda record: (record["values"]["val_accuracy"], -record["number"]))
                spent = sum(record["attributes"].get("epochs", 0) for record in records)
                all_epochs = all_epochs or spent
                row(
                    seed,
                    pruner,
                    len(complete),
                    f"{best['values']['val_accuracy']:.4f}",
                    best["number"],
                    spent,
                    f"{spent / all_epochs:.0%}",
                    f"{process_time() - started_at:.0f}",
                )


def default(trials: int) -> None:
    """A row for the default configuration and one for the best that a random search has found."""
    header("configuration", "val_accuracy", "test accuracy", "95 % interval", "epochs")
    with bundled("digits") as paths:
        plain = train(
            paths["digits"], {"architecture": "lenet", "dataset": "digits", "hyperparameters": {}, "training": {}}
        )
        request = request_of(architecture="lenet", dataset="digits", dimensions=LENET, objectives=ACCURACY)
        found = conclude(paths["digits"], request, search(paths["digits"], request, trials))
        print_result("default", plain)
        print_result(f"best of {trials}, trial {found['best']['number']}", found)
        print(f"\n{found['best']['parameters']}")


def print_result(name: str, result: Json) -> None:
    """One row of `default`."""
    low, high = result["metrics"]["intervals"]["accuracy"]
    row(
        name,
        f"{result['validation']['accuracy']:.4f}",
        f"{result['metrics']['accuracy']:.4f}",
        f"{low:.4f} to {high:.4f}",
        result["epochs"],
    )


def header(*names: str) -> None:
    """The first two lines of a table."""
    row(*names)
    print("|---" * len(names) + "|", flush=True)


def row(*cells: object) -> None:
    """A line of a table."""
    print(f"| {' | '.join(map(str, cells))} |", flush=True)


def main() -> None:
    """Run what is named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="strategies, pruners, default")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--epochs", type=int, default=27, help="of a trial in `pruners`")
    parser.add_argument(
        "--strategies", nargs="+", default=STRATEGIES, help="of `strategies`; the first is held against"
    )
    parser.add_argument("--datasets", nargs="+", default=DATASETS, help="of `strategies`; iris, moons and so on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    runs: dict[str, Callable[[], None]] = {
        "strategies": lambda: strategies(options.seeds, options.trials, options.datasets, options.strategies),
        "pruners": lambda: pruners(options.seeds, options.trials, options.epochs),
        "default": lambda: default(options.trials),
    }
    for name in options.names or runs:
        print(f"\n## {name}\n", flush=True)
        runs[name]()


if __name__ == "__main__":
    main()
