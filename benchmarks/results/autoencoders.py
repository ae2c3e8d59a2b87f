"""`python -m benchmarks.results.autoencoders [NAME ...]`: autoencoders and a VAE on MNIST, and what they find strange.

Prints the tables of `docs/results.md`. `SYLLABUS_TEST_DATA` names the directory that holds `mnist` as its four idx
files. Every run is a job of the embedded stack, which is started for it; its state is thrown away. `anomalies` trains
a network ten times, each time without one of the digits, and lets `infer` score the 10,000 test images.
"""

import argparse
import gzip
import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service
from benchmarks.results.sources import upload
from client.api import Syllabus

COLUMNS = ("run", "network", "parameters", "epochs", "test", "asked for", "beside it", "minutes")
ANOMALIES = "anomalies"


@dataclass(frozen=True)
class Run:
    """One training run; on the test rows `metric` is to be at most `asked`, and `beside` are shown with it."""

    name: str
    architecture: str
    epochs: int
    hyperparameters: Json
    metric: str = "mse"
    asked: float | None = None
    beside: tuple[str, ...] = ("code_sparsity", "jacobian_norm")
    training: Json = field(default_factory=dict)

    def request(self) -> Json:
        """Its `training`: Adam, the learning rate falling as a cosine, and the best of the epochs by 6,000 rows."""
        return {
            "epochs": self.epochs,
            "batch_size": 128,
            "optimizer": {"name": "adam", "learning_rate": 0.002},
            "scheduler": {"name": "cosine"},
            "split": {"validation": 0.1},
            **self.training,
        }


ONE_LAYER: Json = {"hidden_dims": [], "code_dim": 64, "code_activation": "sigmoid"}
SPARSE: Json = {**ONE_LAYER, "sparsity": 0.001, "sparsity_penalty": "kl"}
DENOISING: Json = {
    "hidden_dims": [],
    "channels": [32, 32],
    "code_dim": None,
    "loss": "bernoulli",
    "noise": "gaussian",
    "noise_amount": 0.5,
}
VAE: Json = {"hidden_dims": [400], "code_dim": 20}
RUNS = (
    Run("autoencoder", "autoencoder", 100, ONE_LAYER, asked=0.0318),
    Run("sparse", "autoencoder", 100, SPARSE, asked=0.0301),
    Run("contractive", "autoencoder", 100, {**ONE_LAYER, "contraction": 0.001}),
    Run("denoising", "autoencoder", 1, DENOISING, metric="denoised_mse", beside=("noisy_mse", "mse")),
    Run("vae", "vae", 20, VAE, "negative_elbo", 105.0, ("reconstruction", "kl", "negative_iwae", "mse")),
)


def main() -> int:
    """Run those that are named, or all; the exit status is 1 if a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.autoencoders", description=__doc__)
    names = ", ".join([*(run.name for run in RUNS), ANOMALIES])
    parser.add_argument("names", nargs="*", metavar="NAME", help=names)
    wanted = parser.parse_args().names
    missed = 0
    with service() as (api, directory):
        upload(api, "mnist", directory)
        print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
        for run in [run for run in RUNS if not wanted or run.name in wanted]:
            result = _train(api, run, "mnist", run.name)
            print(_row(run, result), flush=True)
            missed += run.asked is not None and result["metrics"][run.metric] > run.asked
        if not wanted or ANOMALIES in wanted:
            _find_anomalies(api, directory)
    return 1 if missed else 0


def _train(api: Syllabus, run: Run, dataset: str, model: str) -> Json:
    job = api.train(run.architecture, dataset, model, hyperparameters=run.hyperparameters, training=run.request())
    result: Json = ended(api, job)["result"]
    return result


def _row(run: Run, result: Json) -> str:
    metrics = result["metrics"]
    samples = result["steps"] * run.request()["batch_size"]
    cells = (
        f"`{run.name}`",
        f"`{run.architecture}`, " + ", ".join(f"{name} {value}" for name, value in run.hyperparameters.items()),
        f"{result['parameters']:,}",
        result["epochs"],
        f"{run.metric} {metrics[run.metric]:.4g}",
        "" if run.asked is None else f"≤ {run.asked:g}",
        ", ".join(f"{name} {metrics[name]:.4g}" for name in run.beside),
        f"{samples / result['samples_per_second'] / 60:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


def _find_anomalies(api: Syllabus, scratch: Path) -> None:
    """The area under the ROC curve of the anomaly score, for each digit that was left out of the training."""
    run = Run(ANOMALIES, "vae", 5, VAE)
    labels = _idx("t10k-labels-idx1-ubyte.gz")
    print("\n| left out | AUC | beyond the threshold: left out | others |\n|---|---|---|---|", flush=True)
    for digit in range(10):
        name = f"mnist-without-{digit}"
        _upload_without(api, digit, name, scratch)
        _train(api, run, name, name)
        job = api.infer(name, "mnist")
        ended(api, job)
        target = scratch / "predictions.jsonl"
        api.jobs.download(job["id"], target.name, target)
        lines = (json.loads(line) for line in target.read_text().splitlines())
        scores = np.array([line["score"] for line in lines if line["split"] == "test"])
        threshold = api.models.version(name)["generative"]["anomaly"]["threshold"]
        strange, beyond = labels == digit, scores > threshold
        auc = roc_auc_score(strange, scores)
        print(f"| {digit} | {auc:.3f} | {beyond[strange].mean():.1%} | {beyond[~strange].mean():.1%} |", flush=True)


def _upload_without(api: Syllabus, digit: int, name: str, scratch: Path) -> None:
    """MNIST's training images but those of one digit, without labels."""
    images, labels = _idx("train-images-idx3-ubyte.gz"), _idx("train-labels-idx1-ubyte.gz")
    path = scratch / f"{name}.npz"
    np.savez_compressed(path, x=images[labels != digit])
    api.datasets.upload(path, name=name)
    api.datasets.wait(name)


def _idx(name: str) -> NDArray[np.uint8]:
    """The array in one of the idx files: two bytes of zeros, the type, the rank and the sides, then the values."""
    content = gzip.decompress((Path(os.environ["SYLLABUS_TEST_DATA"]) / "mnist" / name).read_bytes())
    shape = np.frombuffer(content, ">u4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).reshape(shape)


if __name__ == "__main__":
    sys.exit(main())
