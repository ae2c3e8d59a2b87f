"""`python -m benchmarks.results.tagging`: entities of WNUT-17 through the API, beside the tag that each word has most.

`SYLLABUS_TEST_DATA` names the directory that holds `tagging/WNUT17` with its three files, which are the splits.
Every run is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import os
import sys
import zipfile
from pathlib import Path

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service

FILES = {
    "train": "wnut17train.conll",
    "validation": "emerging.dev.conll",
    "test": "emerging.test.annotated",
}
HYPERPARAMETERS = {
    "unit": "words",
    "vocabulary": 3000,
    "spelling": 16,
    "embedding_dim": 64,
    "embedding_scale": 0.1,
    "hidden_dim": 100,
    "bidirectional": True,
    "dropout": 0.5,
}
TRAINING: Json = {
    "epochs": 12,
    "batch_size": 16,
    "optimizer": {"name": "adam", "learning_rate": 0.004},
    "scheduler": {"name": "cosine"},
    "gradient_clip": 5.0,
}
METRICS = ("entity_f1", "entity_precision", "entity_recall", "entity_f1_macro", "token_accuracy")


def main() -> int:
    """Train, and print a table; the exit status is 1 if the baseline is not beaten twice over."""
    with service() as (api, directory):
        api.datasets.upload(packed(directory / "wnut17.zip"), name="wnut17")
        api.datasets.wait("wnut17")
        job = api.train("lstm", "wnut17", "entities", hyperparameters=HYPERPARAMETERS, training=TRAINING)
        result = ended(api, job)["result"]
    print(f"| run | best epoch | {' | '.join(METRICS)} |\n{'|---' * (2 + len(METRICS))}|")
    print(row("most frequent tag of each known word", "", result["baseline"]))
    print(row(f"`lstm`, {result['parameters']:,} parameters", result["best_epoch"], result["metrics"]))
    print("95 % intervals:", result["metrics"]["intervals"])
    return int(result["metrics"]["entity_f1"] < 2 * result["baseline"]["entity_f1"])


def packed(path: Path) -> Path:
    """A zip of a file for each split."""
    folder = Path(os.environ["SYLLABUS_TEST_DATA"]) / "tagging" / "WNUT17"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for split, name in FILES.items():
            archive.write(folder / name, f"{split}.conll")
    return path


def row(name: str, epoch: object, metrics: Json) -> str:
    """A line of the table."""
    return f"| {name} | {epoch} | {' | '.join(f'{metrics[metric]:.4f}' for metric in METRICS)} |"


if __name__ == "__main__":
    sys.exit(main())
