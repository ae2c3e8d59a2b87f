"""`python -m benchmarks.results.forecasting [NAME ...]`: a year ahead, beside the seasonal naive forecast.

`SYLLABUS_TEST_DATA` names the directory that holds `timeseries`: airline passengers and sunspots by month. The last
fifth of the months is for the test, the seventh before it chooses the epoch; every 12 months of the test are forecast
from those before. MASE is in the error of the seasonal naive forecast in all months before (Hyndman and Koehler 2006).
Every run is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import argparse
import os
import sys
from pathlib import Path

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service

FILES = {"airline": "airline-passengers.csv", "sunspots": "monthly-sunspots.csv"}
CONTEXTS = {"airline": 24, "sunspots": 48}
ARCHITECTURES: dict[str, Json] = {"linear": {}, "gru": {"hidden_dim": 32}, "lstm": {"hidden_dim": 32}}
EPOCHS = {("airline", "linear"): 200, ("airline", "gru"): 100, ("airline", "lstm"): 100}
"""Of the few months of the airline; of the sunspots 10."""
QUANTILES = {"name": "pinball", "quantiles": [0.1, 0.5, 0.9]}


def main() -> int:
    """Train all on those that are named, or on both, and print a table; 1 if one was no better than seasonal naive."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.forecasting", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FILES))
    missed = 0
    columns = ("data", "network", "parameters", "test MAE", "MASE", "sMAPE", "naive MAE", "MASE", "sMAPE", "80 % cover")
    print(f"| {' | '.join(columns)} |\n{'|---' * len(columns)}|", flush=True)
    with service() as (api, _):
        for data in parser.parse_args().names or FILES:
            path = Path(os.environ["SYLLABUS_TEST_DATA"]) / "timeseries" / FILES[data]
            api.datasets.upload(path, name=data, format="series")
            api.datasets.wait(data)
            for name in ARCHITECTURES:
                for loss in (None, QUANTILES):
                    hyperparameters = {"context": CONTEXTS[data], "horizon": 12, **ARCHITECTURES[name]}
                    training = _training(data, name) | {"loss": loss}
                    model = f"{data}-{name}-{'points' if loss is None else 'quantiles'}"
                    job = api.train(name, data, model, hyperparameters=hyperparameters, training=training)
                    result = ended(api, job)["result"]
                    print(_row(data, name, result), flush=True)
                    missed += result["metrics"]["mae"] >= result["baseline"]["mae"]
    return 1 if missed else 0


def _training(data: str, name: str) -> Json:
    return {
        "epochs": EPOCHS.get((data, name), 10),
        "batch_size": 16 if data == "airline" else 64,
        "optimizer": {"name": "adam", "learning_rate": 0.003 if name == "linear" else 0.01},
        "scheduler": {"name": "cosine"},
        "gradient_clip": 1.0,
        "split": {"validation": 0.15, "test": 0.2},
    }


def _row(data: str, name: str, result: Json) -> str:
    both = (f"{each['mae']:.2f} | {each['mase']:.3f} | {each['smape']:.1f}" for each in _scores(result))
    coverage = result["metrics"].get("coverage")
    covered = "" if coverage is None else f"{coverage:.0%}"
    return f"| {data} | {name} | {result['parameters']:,} | {' | '.join(both)} | {covered} |"


def _scores(result: Json) -> tuple[Json, Json]:
    return result["metrics"], result["baseline"]


if __name__ == "__main__":
    sys.exit(main())
