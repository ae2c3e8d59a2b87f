"""`python -m benchmarks.results.written_names`: names written for a language, and recognised by a judge of real ones.

`SYLLABUS_TEST_DATA` names the directory that holds `names`, divided as `benchmarks.results.names` divides it. A
network that is told the language learns to write names; another, which knows real names alone, says of which language
those are that it has written. Every run is a job of the embedded stack, which is started for it.
"""

import os
import sys
from pathlib import Path

import numpy as np

from benchmarks.results.names import HYPERPARAMETERS, TRAINING, divided, learned, packed
from benchmarks.results.runs import Json
from benchmarks.results.service import ended, service
from client.api import Syllabus

WRITER = {"hidden_dim": 192, "embedding_dim": 48, "dropout": 0.3}
WRITER_TRAINING: Json = {
    "epochs": 12,
    "batch_size": 64,
    "optimizer": {"name": "adam", "learning_rate": 0.003},
    "scheduler": {"name": "cosine"},
    "split": {"validation": 0.0},
    "gradient_clip": 1.0,
}
ASKED = 50
"""Names of each language."""
SHOWN = 6


def main() -> int:
    """Train both and print what is measured."""
    texts = learned(divided(Path(os.environ["SYLLABUS_TEST_DATA"]) / "names"))
    with service() as (api, directory):
        api.datasets.upload(packed(texts, directory / "names.zip"), name="names")
        api.datasets.wait("names")
        job = api.train(
            "lstm", "names", "writer", task="text_generation", hyperparameters=WRITER, training=WRITER_TRAINING
        )
        written = ended(api, job)["result"]
        _tell(written, api.models.version("writer")["metrics"])
        judge = api.train("gru", "names", "judge", hyperparameters=HYPERPARAMETERS, training=TRAINING)
        measured = ended(api, judge)["result"]["metrics"]
        _recognise(api, sorted(texts["test"]), measured)
    return 0


def _tell(result: Json, metrics: Json) -> None:
    test, baseline, drawn = metrics["test"], metrics["baseline"], metrics["generation"]
    print(f"{result['parameters']:,} parameters, {result['epochs']} epochs\n")
    print("| of the test names | the network | frequencies of letters |\n|---|---|---|")
    for name in ("perplexity", "bits_per_token"):
        print(f"| {name} | {test[name]:.3f} | {baseline[name]:.3f} |")
    print("\n| of 1,000 | written | test names |\n|---|---|---|")
    for name in ("copied", "distinct"):
        print(f"| {name} | {drawn[name]:.3f} | {drawn[f'{name}_held_out']:.3f} |", flush=True)


def _recognise(api: Syllabus, languages: list[str], measured: Json) -> None:
    """Print names of each language, and how many the classifier takes for such."""
    print("\n| language | recognised | written |\n|---|---|---|")
    shares = []
    for language in languages:
        made = api.models.generate("writer", ASKED, seed=7, label=language)["texts"]
        names = [each["text"] for each in made if each["text"].strip()]
        answers = api.predict("judge", names, top_k=1)["predictions"]
        shares.append(sum(answer["label"] == language for answer in answers) / ASKED)
        print(f"| {language} | {shares[-1]:.2f} | {', '.join(names[:SHOWN])} |", flush=True)
    print(f"\nRecognised, the mean of the languages: {np.mean(shares):.3f}; by chance {1 / len(languages):.3f};")
    print(f"of the real test names {measured['balanced_accuracy']:.3f}")


if __name__ == "__main__":
    sys.exit(main())
