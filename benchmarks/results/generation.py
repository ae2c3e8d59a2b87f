"""`python -m benchmarks.results.generation [NAME ...] [--sheets DIRECTORY]`: generators trained on MNIST, beside a VAE.

Prints the table of `docs/results.md` and, if asked, writes the last sheet of samples of each as `samples-NAME.png`.
`SYLLABUS_TEST_DATA` names the directory that holds `mnist` as its four idx files. Every run is a job of the embedded
stack, which is started for it; its state is thrown away.
"""

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service
from benchmarks.results.sources import upload
from client.api import Syllabus

COLUMNS = (
    "run",
    "network",
    "parameters",
    "epochs",
    "Fréchet distance",
    "classes",
    "asked class",
    "diversity",
    "stability",
    "minutes",
)


@dataclass(frozen=True)
class Run:
    """One generator."""

    name: str
    architecture: str
    epochs: int
    hyperparameters: Json = field(default_factory=dict)
    training: Json = field(default_factory=dict)

    def request(self) -> Json:
        """Its `training`; no row is held out of the 60,000 but the 10,000 test images."""
        whole = {"epochs": self.epochs, "batch_size": 64, "split": {"validation": 0.0}}
        return whole | self.training


ADVERSARIAL = {"ema": 0.998, "scheduler": {"name": "cosine"}}
ADAM = {"name": "adam", "learning_rate": 4e-4, "beta1": 0.5}
CRITIC = {"name": "adam", "learning_rate": 4e-4, "beta1": 0.0, "beta2": 0.9}
CONDITIONAL = {"conditional": True}
DENSE = {"hidden_dims": [128, 256]}
THIN = {"channels": 16}
PATIENT = {"channels": 16, "discriminator_steps": 2}
RUNS = (
    Run("vae", "vae", 10, {}, {"optimizer": {"name": "adam", "learning_rate": 0.001}}),
    Run("dcgan", "dcgan", 6, THIN, ADVERSARIAL | {"optimizer": ADAM}),
    Run("wgan_gp", "wgan_gp", 6, PATIENT, ADVERSARIAL | {"optimizer": CRITIC}),
    Run("gan", "gan", 30, {"hidden_dims": [256, 512]}, ADVERSARIAL | {"optimizer": ADAM}),
    Run("dcgan-conditional", "dcgan", 5, THIN | CONDITIONAL, ADVERSARIAL | {"optimizer": ADAM}),
    Run("wgan_gp-conditional", "wgan_gp", 5, PATIENT | CONDITIONAL, ADVERSARIAL | {"optimizer": CRITIC}),
    Run("gan-conditional", "gan", 10, DENSE | CONDITIONAL, ADVERSARIAL | {"optimizer": ADAM}),
)


def main() -> int:
    """Run those that are named, or all; the exit status is 1 if one does not draw all ten digits."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.generation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(run.name for run in RUNS))
    parser.add_argument("--sheets", type=Path, help="where to put the sheets of samples")
    arguments = parser.parse_args()
    missed = 0
    with service() as (api, directory):
        upload(api, "mnist", directory)
        print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
        for run in [run for run in RUNS if not arguments.names or run.name in arguments.names]:
            job = _train(api, run)
            print(_row(run, job["result"]), flush=True)
            if arguments.sheets is not None:
                _keep_sheet(api, job["id"], arguments.sheets / f"samples-{run.name}.png")
            missed += job["result"]["generation"]["classes_found"] < 10
    return 1 if missed else 0


def _train(api: Syllabus, run: Run) -> Json:
    job = api.train(run.architecture, "mnist", run.name, hyperparameters=run.hyperparameters, training=run.request())
    return ended(api, job)


def _keep_sheet(api: Syllabus, job_id: str, target: Path) -> None:
    sheets = [each["name"] for each in api.jobs.artifacts(job_id) if each["name"].startswith("samples-epoch-")]
    if sheets:
        api.jobs.download(job_id, max(sheets), target)


def _row(run: Run, result: Json) -> str:
    quality = result["generation"]
    settings = ", ".join(f"{name} {value}" for name, value in run.hyperparameters.items()) or "defaults"
    asked = f"{quality['asked_class']:.3f}" if "asked_class" in quality else ""
    samples = result["steps"] * run.request()["batch_size"]
    cells = (
        f"`{run.name}`",
        f"`{run.architecture}`, {settings}",
        f"{result['parameters']:,}",
        result["epochs"],
        f"{quality['frechet_distance']:.2f} (training rows: {quality['frechet_floor']:.2f})",
        f"{quality['classes_found']} of {quality['classes']}",
        asked,
        f"{quality['diversity']:.3f}",
        result.get("stability", {}).get("verdict", ""),
        f"{samples / result['samples_per_second'] / 60:.1f}",
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
