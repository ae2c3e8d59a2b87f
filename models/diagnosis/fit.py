"""Does a short training fit? The verdict of `metrics.verdict`, as of a train job."""

from dataclasses import replace

import numpy as np

from models.diagnosis.finding import Finding, Verdict, not_applicable
from models.diagnosis.label_noise import short
from models.diagnosis.subject import Subject
from models.fits.fitting import Fit, configuration, fit_all
from models.fits.scoring import targets_of
from models.metrics.verdict import judge

VERDICTS: dict[str, Verdict] = {
    "good": "good",
    "overfitting": "suspicious",
    "underfitting": "bad",
    "unknown": "suspicious",
}


def check(subject: Subject) -> Finding:
    """Train for a few epochs and compare training rows with held-out rows and with guessing."""
    dataset, settings = subject.dataset, subject.plan.settings
    parts = dataset.rows(settings.split)
    held_out = next((name for name in ("validation", "test") if name in parts), None)
    if held_out is None:
        return not_applicable("No rows are held out: set `training.split.validation` above 0.")
    source, rows = parts["train"]
    chosen = np.random.default_rng(0).permutation(rows)[: len(parts[held_out][1])]
    directory = subject.context.checkpoints / "fit"
    directory.mkdir(exist_ok=True)
    request = configuration(subject.context.request, training=short(settings))
    measured = {"learned": (source, np.sort(chosen)), held_out: parts[held_out]}
    fit = Fit("short training", request, {**parts, **measured}, tuple(measured))
    context = replace(subject.context, checkpoints=directory)
    (fitted,) = fit_all(context, dataset, [fit], keep_diverged=True)
    if fitted.diverged is not None:
        remedies = ("a lower `training.optimizer.learning_rate`", "`training.gradient_clip`")
        return Finding("bad", f"A short training diverged: {fitted.diverged}", {"epochs": fitted.epochs}, remedies)
    task, num_inputs = subject.task, subject.plan.dataset.num_inputs
    scores = {
        name: task.measure(targets_of(dataset, part), fitted.answers[name], dataset.labels, num_inputs)
        for name, part in measured.items()
    }
    guess = task.guess(targets_of(dataset, parts["train"]), len(parts[held_out][1]), task.num_outputs)
    guessed = task.score(targets_of(dataset, parts[held_out]), guess, dataset.labels, num_inputs)
    verdict = judge(task.main_metric, scores["learned"], scores[held_out], guessed, held_out)
    numbers = {
        "metric": task.main_metric,
        "epochs": fitted.epochs,
        "train": scores["learned"][task.main_metric],
        held_out: scores[held_out][task.main_metric],
        "guess": guessed[task.main_metric],
        "fit": verdict["fit"],
    }
    detail = f"After {fitted.epochs} epochs: {verdict['fit']}. {verdict['detail']}"
    return Finding(VERDICTS[verdict["fit"]], detail, numbers, tuple(verdict["try"]))
