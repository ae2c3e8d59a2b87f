"""Which training rows are probably labelled wrongly? Each is judged by a network that has not learned from it."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import spreadsheet
from models.diagnosis.confident import residuals, suspects
from models.diagnosis.finding import Finding, above, not_applicable
from models.diagnosis.subject import Subject
from models.fits.answers import PooledAnswers
from models.fits.fitting import Fit, configuration, fit_all
from models.fits.folds import Fold, Folding, Method, training_parts
from models.run import ProducedFile
from models.training.settings import TrainingSettings

MOST_EPOCHS = 20
LISTED = 20
"""Suspects in the result; all of them are in `label_suspects.csv`."""
PICTURES = 32
SOME, MANY = 0.03, 0.1
"""Share of the rows whose labels are suspected."""
FAR = 4.0
"""Robust standard deviations, beyond which an error is suspected: of a normal distribution 6 in 100,000 are."""
FEW_FAR, MANY_FAR = 0.01, 0.05
REMEDIES = (
    "look at the rows in label_suspects.csv, and correct or remove those that are wrong",
    "training.label_noise, or training.loss cross_entropy with label_smoothing, which trust labels less",
    "if the labels are right: classes that overlap, or a network that has learned too little, look the same",
)


def check(subject: Subject) -> Finding:
    """Train on folds for a few epochs, and compare the out-of-fold answers with the labels."""
    if subject.task.name not in ("classification", "regression"):
        return not_applicable(f"A {subject.task.name} has no label for each row.")
    pooled = _answers(subject)
    if isinstance(pooled, str):
        return not_applicable(f"Trainings diverge, so that nothing judges the labels. {pooled}")
    return _of_classes(subject, pooled) if subject.dataset.labels else _of_values(subject, pooled)


def _answers(subject: Subject) -> PooledAnswers | str:
    """Of every row by a network that has not learned from it; or why a training diverged."""
    context, dataset = subject.context, subject.dataset
    directory = context.checkpoints / "label_noise"
    directory.mkdir(exist_ok=True)
    request = configuration(context.request, training=short(subject.plan.settings))
    folds = _folds(subject)
    fits = [
        Fit(
            f"fold {number} of {len(folds)}",
            request,
            {**training_parts(dataset, fold.train, subject.plan.settings.split), "test": ("train", fold.test)},
            ("test",),
        )
        for number, fold in enumerate(folds, 1)
    ]
    answers = []
    for fitted in fit_all(replace(context, checkpoints=directory), dataset, fits, keep_diverged=True):
        if fitted.diverged is not None:
            return fitted.diverged
        answers.append(fitted.answers["test"])
    return PooledAnswers.of(dataset, [fit.parts["test"] for fit in fits], answers)


def short(settings: TrainingSettings) -> dict[str, Any]:
    """The settings of a training of `MOST_EPOCHS` at the most."""
    return {**settings.model_dump(mode="json"), "epochs": min(settings.epochs, MOST_EPOCHS)}


def _folds(subject: Subject) -> list[Fold]:
    """Folds with the classes' proportions, where each class has a row for each."""
    classes, folds = subject.dataset.row_classes("train"), subject.context.request["folds"]
    stratified = classes is not None and int(np.unique(classes, return_counts=True)[1].min()) >= folds
    method: Method = "stratified_k_fold" if stratified else "k_fold"
    count = subject.dataset.manifest["splits"]["train"]["count"]
    seed = subject.plan.settings.seed
    return Folding(method, folds, p=1, test_size=0.5, shuffle=True, seed=seed).divide(count, classes)


def _of_classes(subject: Subject, pooled: PooledAnswers) -> Finding:
    labels = subject.dataset.labels or []
    found = suspects(pooled.targets, pooled.answers)
    accuracy = float((pooled.answers.argmax(axis=1) == pooled.targets).mean())
    lines = [
        {
            "row": int(pooled.rows[place]),
            "given": labels[pooled.targets[place]],
            "likely": labels[likely],
            "probability_given": float(pooled.answers[place, pooled.targets[place]]),
            "probability_likely": float(pooled.answers[place, likely]),
        }
        for place, likely in zip(found.rows, found.likely, strict=True)
    ]
    numbers = {
        "rows": len(pooled.rows),
        "accuracy": accuracy,
        "noise": found.noise,
        "suspects": len(lines),
        "worst": lines[:LISTED],
    }
    detail = (
        f"About {found.noise:.1%} of the labels seem wrong, {len(lines)} of {len(pooled.rows)} rows; out of fold, "
        f"{accuracy:.1%} of the answers agree with the labels."
    )
    files = (_table(subject, lines), *_thumbnails(subject, lines))
    return Finding(above(found.noise, SOME, MANY), detail, numbers, REMEDIES, files)


def _of_values(subject: Subject, pooled: PooledAnswers) -> Finding:
    standardised = residuals(pooled.targets, pooled.answers)
    far = np.flatnonzero(np.abs(standardised) > FAR)
    order = far[np.argsort(-np.abs(standardised[far]), kind="stable")]
    lines = [
        {
            "row": int(pooled.rows[place]),
            "given": float(pooled.targets[place]),
            "likely": float(pooled.answers[place]),
            "residual": float(standardised[place]),
        }
        for place in order
    ]
    share, largest = len(lines) / len(pooled.rows), float(np.abs(standardised).max())
    numbers = {"rows": len(pooled.rows), "suspects": len(lines), "largest": largest, "worst": lines[:LISTED]}
    detail = (
        f"{len(lines)} of {len(pooled.rows)} targets lie more than {FAR:g} robust standard deviations from the "
        f"out-of-fold answer; the farthest {largest:.1f}."
    )
    return Finding(above(share, FEW_FAR, MANY_FAR), detail, numbers, REMEDIES[:1], (_table(subject, lines),))


def _table(subject: Subject, lines: list[dict[str, Any]]) -> ProducedFile:
    """All suspects, the least believable first; rows are those of the data set's training rows, counted from 0."""
    path = subject.context.scratch / "label_suspects.csv"
    header = list(lines[0]) if lines else ["row", "given", "likely"]
    spreadsheet.write(path, header, [list(line.values()) for line in lines])
    return ProducedFile(path.name, path, "text/csv")


def _thumbnails(subject: Subject, lines: list[dict[str, Any]]) -> tuple[ProducedFile, ...]:
    """The first suspects, under the given and the likely label, if they are images."""
    if subject.dataset.modality != "image" or not lines:
        return ()
    from models.explanation import pictures

    images: NDArray[Any] = subject.dataset.inputs("train")
    shown = lines[:PICTURES]
    tiles = [pictures.pixels_of(images[line["row"]]) for line in shown]
    names = [f"{line['given'][:5]}? {line['likely'][:5]}" for line in shown]
    path = subject.context.scratch / "label_suspects.png"
    pictures.grid(tiles, "given label? likely label", names).save(path, "PNG", optimize=True)
    return (ProducedFile(path.name, path, "image/png"),)
