"""`python -m benchmarks.results.trees [NAME ...]`: sentiment and boolean trees, through the API.

`SYLLABUS_TEST_DATA` names the directory that holds `sst-trees`, the Stanford Sentiment
Treebank, whose three files are the splits. Five classes are
learned, at every node. Asked is the root: which of five, and, as is usual (Socher et al. 2013), whether it is positive,
4 or 3, or negative, 0 or 1, of the sentences that are not neutral: the greater sum of the probabilities decides.
Every run is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import argparse
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service
from client.api import Syllabus

FILES = {"train": "train.txt", "validation": "dev.txt", "test": "test.txt"}
HYPERPARAMETERS: Json = {"composition": "lstm", "hidden_dim": 50, "dropout": 0.4}
TRAINING: Json = {
    "epochs": 4,
    "batch_size": 32,
    "optimizer": {"name": "adam", "learning_rate": 0.004},
    "scheduler": {"name": "cosine"},
    "gradient_clip": 5.0,
}
SMALL: Json = {"composition": "lstm", "hidden_dim": 16}
BOOLEANS: Json = {"epochs": 10, "batch_size": 32, "optimizer": {"name": "adam", "learning_rate": 0.01}}
ASKED = {"sst": 0.80, "booleans": 0.99}
PREDICTED_AT_ONCE = 500
COLUMNS = ("data", "network", "parameters", "best epoch", "root", "asked for", "five classes")


def main() -> int:
    """Train on those that are named, or both, and print a table; the exit status is 1 if a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.trees", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ASKED))
    names = parser.parse_args().names or list(ASKED)
    missed = 0
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
    with service() as (api, directory):
        for name in names:
            result, root, five = sentiment(api, directory) if name == "sst" else booleans(api)
            missed += root < ASKED[name]
            print(
                f"| {name} | `recursive`, {result['composition']} | {result['parameters']:,} | {result['best_epoch']} "
                f"| {root:.4f} | {ASKED[name]} | {'' if five is None else f'{five:.4f}'} |",
                flush=True,
            )
    return int(missed > 0)


def sentiment(api: Syllabus, directory: Path) -> tuple[Json, float, float | None]:
    """The result, and the shares of the roots that are right: of two classes, and of five."""
    folder, path = Path(os.environ["SYLLABUS_TEST_DATA"]) / "sst-trees", directory / "sst.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for split, file in FILES.items():
            archive.write(folder / file, f"{split}.txt")
    api.datasets.upload(path, name="sst")
    api.datasets.wait("sst")
    job = api.train("recursive", "sst", "sentiment", hyperparameters=HYPERPARAMETERS, training=TRAINING)
    result = ended(api, job)["result"] | {"composition": HYPERPARAMETERS["composition"]}
    right, count = 0, 0
    for tree, answer in answers(api, (folder / FILES["test"]).read_text("utf-8").splitlines()):
        label = tree[1]
        if label != "2":
            share = {each["label"]: each["probability"] for each in answer["top_k"]}
            is_positive = share["3"] + share["4"] > share["0"] + share["1"]
            right, count = right + (is_positive == (label in "34")), count + 1
    return result, right / count, result["metrics"]["accuracy"]


def booleans(api: Syllabus) -> tuple[Json, float, float | None]:
    """The result, and the share of the roots that is right."""
    job = api.train("recursive", "booleans", "booleans", hyperparameters=SMALL, training=BOOLEANS)
    result = ended(api, job)["result"] | {"composition": SMALL["composition"]}
    return result, result["metrics"]["accuracy"], None


def answers(api: Syllabus, trees: list[str]) -> list[tuple[str, Any]]:
    """Each tree, and what is predicted of it over HTTP."""
    pairs: list[tuple[str, Any]] = []
    for begin in range(0, len(trees), PREDICTED_AT_ONCE):
        some = trees[begin : begin + PREDICTED_AT_ONCE]
        pairs += zip(some, api.predict("sentiment", some)["predictions"], strict=True)
    return pairs


if __name__ == "__main__":
    sys.exit(main())
