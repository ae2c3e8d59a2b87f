"""`python -m benchmarks.results.translation [NAME ...]`: texts written for texts, through the API.

`SYLLABUS_TEST_DATA` names the directory that holds `translation/fra-eng.zip`, lines of an English sentence and a French
one (Tatoeba). Of the pairs of at most 8 words on either side 26,000 English sentences are drawn with a fixed seed, each
with its first translation, so that none is in two splits: 1,000 are for the test, 1,000 for validation. BLEU is
sacrebleu's, on a single reference. `dates`, `copy` and `reverse` are built in.
The baseline is the most frequent target, or the input as it is, whichever is more often right in training.
Every run is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import argparse
import json
import os
import sys
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.results.runs import Json, Run
from benchmarks.results.service import ended, service
from client.api import Syllabus
from models.metrics.translation import translation_scores

SIZES = {"test": 1_000, "validation": 1_000, "train": 24_000}
MAX_WORDS = 8
BEAM_WIDTHS = (1, 2, 4, 8)
TEXTS_AT_ONCE = 50


def _training(epochs: int, batch_size: int = 64, learning_rate: float = 0.005) -> Json:
    optimizer = {"name": "adam", "learning_rate": learning_rate}
    return {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer,
        "scheduler": {"name": "cosine"},
        "gradient_clip": 1.0,
    }


SMALL = {"hidden_dim": 64, "embedding_dim": 32, "max_written": 32}
ADDITIVE, NONE = SMALL | {"attention": "additive"}, SMALL | {"attention": "none"}
SENTENCES = {
    "unit": "subwords",
    "vocabulary": 1_500,
    "embedding_dim": 96,
    "hidden_dim": 128,
    "attention": "dot",
    "dropout": 0.2,
    "max_written": 40,
}
RUNS = (
    Run("dates", "seq2seq", "dates", _training(4), ADDITIVE, metric="exact_match", asked=0.99),
    Run("copy", "seq2seq", "copy", _training(8), ADDITIVE, metric="exact_match"),
    Run("copy-none", "seq2seq", "copy", _training(8), NONE, metric="exact_match"),
    Run("reverse", "seq2seq", "reverse", _training(8), ADDITIVE, metric="exact_match"),
    Run("reverse-none", "seq2seq", "reverse", _training(8), NONE, metric="exact_match"),
    Run("english-french", "seq2seq", "fra-eng", _training(8, 128, 0.003), SENTENCES, metric="bleu"),
)
COLUMNS = ("run", "network", "parameters", "epochs", "exact match", "95 % interval", "BLEU", "perplexity", "baseline")


def main() -> int:
    """Train those that are named, or all, and print a table; the exit status is 1 if a figure was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.translation", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(run.name for run in RUNS))
    names = parser.parse_args().names
    missed = 0
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|", flush=True)
    with service() as (api, directory):
        for run in RUNS:
            if names and run.name not in names:
                continue
            provide(api, run.dataset, directory)
            hyperparameters = run.hyperparameters
            job = api.train("seq2seq", run.dataset, run.name, hyperparameters=hyperparameters, training=run.training)
            result = ended(api, job)["result"]
            print(_row(run, result), flush=True)
            print(f"{run.name} by length, {_lengths(api, run, directory)}", flush=True)
            if run.metric == "bleu":
                print(_beams(api, run.name, drawn_pairs()["test"]), flush=True)
            missed += run.asked is not None and result["metrics"][run.metric] < run.asked
    return 1 if missed else 0


def provide(api: Syllabus, name: str, directory: Path) -> None:
    """Upload a data set that is not built in, unless it is there."""
    if name not in {each["name"] for each in api.datasets.list()}:
        api.datasets.upload(packed(directory / f"{name}.zip"), name=name)
        api.datasets.wait(name)


def packed(path: Path) -> Path:
    """A zip of `split.tsv`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for split, lines in drawn_pairs().items():
            archive.writestr(f"{split}.tsv", "\n".join(map("\t".join, lines)))
    return path


@cache
def drawn_pairs() -> dict[str, list[tuple[str, str]]]:
    """Short pairs for each split."""
    with zipfile.ZipFile(Path(os.environ["SYLLABUS_TEST_DATA"]) / "translation" / "fra-eng.zip") as archive:
        lines = archive.read("fra.txt").decode().splitlines()
    first: dict[str, str] = {}
    for line in lines:
        english, french = line.split("\t")[:2]
        if max(len(english.split()), len(french.split())) <= MAX_WORDS:
            first.setdefault(english, french)
    order = np.random.default_rng(0).permutation(len(first)).tolist()
    pairs, begin, found = list(first.items()), 0, {}
    for split, size in SIZES.items():
        found[split] = [pairs[place] for place in order[begin : begin + size]]
        begin += size
    return found


def _lengths(api: Syllabus, run: Run, directory: Path) -> str:
    """The share of exact matches of a tenth of the test rows each, the shortest targets first."""
    job = ended(api, api.evaluate(run.name, run.dataset))
    report = api.jobs.download(job["id"], "report.json", directory / f"{run.name}.json")
    groups = json.loads(Path(report).read_text())["curves"]["by_length"]
    return ", ".join(f"{group['characters']:.1f} characters: {group['right']:.2f}" for group in groups)


def _beams(api: Syllabus, model: str, pairs: list[tuple[str, str]]) -> str:
    """BLEU of the texts that are answered over HTTP, by the width of the beam."""
    found = []
    for width in BEAM_WIDTHS:
        texts: list[str] = []
        for begin in range(0, len(pairs), TEXTS_AT_ONCE):
            inputs = [english for english, _ in pairs[begin : begin + TEXTS_AT_ONCE]]
            texts += [each["text"] for each in api.predict(model, inputs, beam_width=width)["predictions"]]
        scores = translation_scores(np.array([french for _, french in pairs], object), np.array(texts, object))
        found.append(f"beam {width}: BLEU {scores['bleu']:.1f}, exact match {scores['exact_match']:.4f}")
    return f"{model} over HTTP, {'; '.join(found)}"


def _row(run: Run, result: Json) -> str:
    metrics, baseline = result["metrics"], result["baseline"]
    low, high = metrics["intervals"]["exact_match"]
    bleu = "" if metrics["bleu"] is None else f"{metrics['bleu']:.1f}"
    settings = ", ".join(f"{name} {value}" for name, value in run.hyperparameters.items())
    return (
        f"| `{run.name}` | {settings} | {result['parameters']:,} | {result['epochs']} | {metrics['exact_match']:.4f} "
        f"| {low:.4f} to {high:.4f} | {bleu} | {metrics['perplexity']:.3f} | {baseline['exact_match']:.4f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
