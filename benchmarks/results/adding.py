"""`python -m benchmarks.results.adding [NAME ...]`: the sum of two marked numbers, 100 steps long.

Every network is trained with the same settings and several seeds on the built-in data set `adding`. Whoever always
answers 1 has a mean squared error of 1/6; below 0.01 the problem counts as solved (Hochreiter and Schmidhuber 1997).
Every run is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import argparse
import sys

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service

SEEDS = (0, 1, 2)
SOLVED = 0.01
HYPERPARAMETERS: dict[str, Json] = {
    "rnn": {"hidden_dim": 64},
    "lstm": {"hidden_dim": 64, "forget_bias": 1.0},
    "gru": {"hidden_dim": 64},
}
TRAINING: Json = {
    "epochs": 10,
    "batch_size": 64,
    "optimizer": {"name": "adam", "learning_rate": 0.005},
    "scheduler": {"name": "cosine"},
    "gradient_clip": 1.0,
}


def main() -> int:
    """Train those that are named, or all, and print a table; the status is 1 if a gated network did not solve it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.adding", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(HYPERPARAMETERS))
    names = parser.parse_args().names or HYPERPARAMETERS
    missed = 0
    print("| run | seed | parameters | epochs | test MSE | by guessing | solved |\n|---|---|---|---|---|---|---|")
    with service() as (api, _):
        for name in names:
            for seed in SEEDS:
                training = TRAINING | {"seed": seed}
                job = api.train(
                    name, "adding", f"{name}-{seed}", hyperparameters=HYPERPARAMETERS[name], training=training
                )
                result = ended(api, job)["result"]
                print(_row(name, seed, result), flush=True)
                missed += name != "rnn" and result["metrics"]["mse"] >= SOLVED
    return 1 if missed else 0


def _row(name: str, seed: int, result: Json) -> str:
    mse, guess = result["metrics"]["mse"], result["baseline"]["mse"]
    solved = "yes" if mse < SOLVED else "no"
    return f"| {name} | {seed} | {result['parameters']:,} | {result['epochs']} | {mse:.5f} | {guess:.4f} | {solved} |"


if __name__ == "__main__":
    sys.exit(main())
