"""`python -m benchmarks.results.names [NAME ...]`: names by language, beside a classical baseline on the same rows.

`SYLLABUS_TEST_DATA` names the directory that holds `names`, a text file for each language. A fifth of each is for the
test and a tenth for validation, drawn with a fixed seed. The baseline is scikit-learn's logistic regression of all
strings of 1 to 4 letters, blanks at the ends included, weighted by the logarithms of their counts and by their rarity;
its strength is chosen on the validation rows. Both then learn from the training and the validation rows, with classes
weighted alike. Beside them stand the classical learners of a `baseline` job, which are not tuned and count names alike.
Every run is a job of the embedded stack, which is started for it; its state is thrown away.
"""

import argparse
import os
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service

Texts = dict[str, dict[str, list[str]]]
"""By split and language."""
SHARES = {"test": 0.2, "validation": 0.1}
STRENGTHS = (1.0, 10.0, 100.0)
MAX_ITERATIONS = 500


ARCHITECTURES = ("rnn", "lstm", "gru")
HYPERPARAMETERS = {"bidirectional": True, "hidden_dim": 128, "embedding_dim": 64, "dropout": 0.3}
TRAINING: Json = {
    "epochs": 12,
    "batch_size": 64,
    "optimizer": {"name": "adam", "learning_rate": 0.003},
    "scheduler": {"name": "cosine"},
    "loss": {"name": "cross_entropy", "class_weights": "balanced"},
    "split": {"validation": 0.0},
    "gradient_clip": 1.0,
    "gradient_norm": True,
}


class Rows(NamedTuple):
    """Names and the language of each."""

    names: list[str]
    labels: list[str]

    @classmethod
    def of(cls, languages: Mapping[str, list[str]]) -> "Rows":
        """Those of all languages."""
        pairs = [(name, language) for language, names in languages.items() for name in names]
        return cls([name for name, _ in pairs], [language for _, language in pairs])


def main() -> int:
    """Train those that are named, or all, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results.names", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ARCHITECTURES))
    names = parser.parse_args().names
    texts = divided(Path(os.environ["SYLLABUS_TEST_DATA"]) / "names")
    print("| run | parameters | epochs | balanced accuracy | accuracy |\n|---|---|---|---|---|", flush=True)
    strength, scores = baseline(texts)
    print(_row(f"logistic regression, C={strength:g}", "", "", scores), flush=True)
    with service() as (api, directory):
        api.datasets.upload(packed(learned(texts), directory / "names.zip"), name="names")
        api.datasets.wait("names")
        job = api.baseline("names", ["classical"], split=TRAINING["split"])
        for entry in ended(api, job)["result"]["baselines"]:
            print(_row(f"`baseline`: {entry['name']}", "", "", entry["metrics"]["test"]), flush=True)
        for name in names or ARCHITECTURES:
            job = api.train(name, "names", name, hyperparameters=HYPERPARAMETERS, training=TRAINING)
            result = ended(api, job)["result"]
            print(_row(name, f"{result['parameters']:,}", result["epochs"], result["metrics"]), flush=True)
    return 0


def divided(folder: Path) -> Texts:
    """The names of each language, divided at random."""
    generator = np.random.default_rng(0)
    texts: Texts = {"train": {}, "validation": {}, "test": {}}
    for path in sorted(folder.glob("*.txt")):
        lines = np.array(path.read_text("utf-8").split("\n"))
        rest = generator.permutation(lines[lines != ""])
        count = len(rest)
        for split, share in SHARES.items():
            size = round(count * share)
            texts[split][path.stem], rest = rest[:size].tolist(), rest[size:]
        texts["train"][path.stem] = rest.tolist()
    return texts


def learned(texts: Texts) -> Texts:
    """The validation rows added to those of the training."""
    train = {language: names + texts["validation"][language] for language, names in texts["train"].items()}
    return {"train": train, "test": texts["test"]}


def packed(texts: Texts, path: Path) -> Path:
    """A zip of `split/language.txt`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for split, languages in texts.items():
            for language, names in languages.items():
                archive.writestr(f"{split}/{language}.txt", "\n".join(names))
    return path


def baseline(texts: Texts) -> tuple[float, Json]:
    """The strength that is best on the validation rows, and the scores on the test rows."""

    def fitted(strength: float, train: str, on: str) -> Json:
        languages = [rows[split] for split in (train, on)]
        vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), lowercase=False, sublinear_tf=True)
        vectors = vectorizer.fit_transform(languages[0].names)
        model = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS, class_weight="balanced")
        answers = model.fit(vectors, languages[0].labels).predict(vectorizer.transform(languages[1].names))
        true = languages[1].labels
        return {"balanced_accuracy": balanced_accuracy_score(true, answers), "accuracy": accuracy_score(true, answers)}

    rows = {split: Rows.of(languages) for split, languages in {**texts, "all": learned(texts)["train"]}.items()}
    best = max(STRENGTHS, key=lambda strength: fitted(strength, "train", "validation")["balanced_accuracy"])
    return best, fitted(best, "all", "test")


def _row(name: str, parameters: str, epochs: object, metrics: Json) -> str:
    return f"| {name} | {parameters} | {epochs} | {metrics['balanced_accuracy']:.4f} | {metrics['accuracy']:.4f} |"


if __name__ == "__main__":
    sys.exit(main())
