"""`python -m benchmarks.results [NAME ...]`: train through the API and print the table of `docs/results.md`.

`SYLLABUS_TEST_DATA` names the directory that holds `mnist` and `fashion-mnist` as their four idx files. Every run
is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import argparse
import sys

from benchmarks.results.runs import RUNS, Json, Run
from benchmarks.results.service import ended, service
from benchmarks.results.sources import IDX_DATASETS, upload
from client.api import Syllabus

COLUMNS = ("run", "network", "data", "parameters", "epochs", "test", "asked for", "95 % interval", "minutes")


def main() -> int:
    """Run those that are named, or all; the exit status is 1 if a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(run.name for run in RUNS))
    names = parser.parse_args().names
    runs = [run for run in RUNS if not names or run.name in names]
    missed = 0
    with service() as (api, directory):
        for name in sorted({run.dataset for run in runs} & set(IDX_DATASETS)):
            upload(api, name, directory)
        print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
        for run in runs:
            result = _train(api, run)
            print(_row(run, result), flush=True)
            missed += run.asked is not None and result["metrics"][run.metric] < run.asked
    return 1 if missed else 0


def _train(api: Syllabus, run: Run) -> Json:
    job = api.train(run.architecture, run.dataset, run.name, hyperparameters=run.hyperparameters, training=run.training)
    result: Json = ended(api, job)["result"]
    return result


def _row(run: Run, result: Json) -> str:
    metrics = result["metrics"]
    low, high = metrics.get("intervals", {}).get(run.metric, (float("nan"), float("nan")))
    settings = ", ".join(f"{name} {value}" for name, value in run.hyperparameters.items()) or "defaults"
    samples = result["steps"] * run.training["batch_size"]
    return (
        f"| `{run.name}` | `{run.architecture}`, {settings} | {run.dataset} | {result['parameters']:,} "
        f"| {result['epochs']} | {run.metric} {metrics[run.metric]:.4f} | {run.asked or ''} | {low:.4f} to {high:.4f} "
        f"| {samples / result['samples_per_second'] / 60:.1f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
