"""The `explain` job: where a network's answers come from, and what its layers look for, as pictures."""

from typing import Any

import torch

from models.data import DataSet
from models.evaluation.exhibits import Exhibits
from models.explanation.attribution import ATTRIBUTIONS
from models.explanation.dreaming import Ascent
from models.explanation.exhibition import Exhibition
from models.explanation.samples import Sample, rows_of, take
from models.explanation.subject import Subject
from models.run import JobContext, Outcome, given, obey
from models.versions.splits import examples_of

OF_CONVOLUTIONS = ("grad_cam", "feature_maps", "kernels", "deepdream")


def run(context: JobContext) -> Outcome:
    """Explain a version's answers to some rows of a split, by each method of the request.

    Leaves a picture for each row and method and `report.json`, which holds the answers, the features that count
    most and, of integrated gradients, whether they are complete. The same request leaves the same bytes.

    Raises:
        JobError: a method needs a convolution and there is none, a layer, channel or row does not exist, or the
            architecture has changed since the version was trained.
        Mismatch: the data set's inputs are not the model's, or it has no such split.
        Stopped: the user cancelled or paused; a resumed job begins anew.
    """
    torch.set_num_threads(context.threads)
    request, version = context.request, given(context.version)
    subject = Subject.of(version, given(context.weights))
    subject.require_convolution([method for method in request["methods"] if method in OF_CONVOLUTIONS])
    split, samples = _samples(context, subject)
    exhibition = _exhibition(context, subject, split)
    of_model, of_samples = _explanations(context, exhibition, samples)
    described = [sample.described(subject.labels) for sample in samples]
    result = {
        "model": request["model"],
        "version": request["version"],
        "dataset": request["dataset"],
        "split": split,
        "target": request["target"],
        "samples": described,
        "artifacts": exhibition.exhibits.entries,
    }
    detailed = [{**said, "methods": found} for said, found in zip(described, of_samples, strict=True)]
    layers = [{"name": layer.name, "shape": list(layer.shape)} for layer in subject.layers.values()]
    report = context.write_report({**result, "samples": detailed, "methods": of_model, "layers": layers})
    return Outcome(result, (*exhibition.exhibits.files, report))


def _samples(context: JobContext, subject: Subject) -> tuple[str, list[Sample]]:
    """The split's name and the rows of it that are explained."""
    dataset = DataSet.open(given(context.dataset)).as_taken(subject.signature)
    split, examples = examples_of(dataset, given(context.version), context.request["split"])
    rows = rows_of(context.request["samples"], len(examples))
    graph = given(context.model), context.threads
    return split, take(dataset, examples, rows, subject.signature, graph, context.fit_image)


def _exhibition(context: JobContext, subject: Subject, split: str) -> Exhibition:
    request, dream = context.request, context.request["deepdream"]
    labels, target = subject.labels, request["target"]
    return Exhibition(
        subject,
        Exhibits(context.scratch),
        split,
        target=labels.index(target) if labels and target is not None else None,
        layer=request["layer"],
        dream_layer=dream["layer"] or request["layer"],
        dream_channel=dream["channel"],
        ascent=Ascent(
            dream["steps"], dream["learning_rate"], dream["octaves"], dream["octave_scale"], seed=request["seed"]
        ),
        obey=lambda: obey(context.report),
    )


def _explanations(
    context: JobContext, exhibition: Exhibition, samples: list[Sample]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is found of the whole model and of each sample, by method."""
    of_model: dict[str, Any] = {}
    of_samples: list[dict[str, Any]] = [{} for _ in samples]
    methods = context.request["methods"]
    for place, method in enumerate(methods):
        context.report.log(f"{method} of {len(samples)} rows" if method != "kernels" else method)
        if method == "kernels":
            of_model[method] = exhibition.kernels()
            continue
        if method == "deepdream" and exhibition.subject.labels:
            of_model[method] = exhibition.classes()
        for number, (sample, found) in enumerate(zip(samples, of_samples, strict=True)):
            obey(context.report)
            found[method] = exhibition.sample(method, sample)
            context.report.progress((place + (number + 1) / len(samples)) / len(methods))
        if method in ATTRIBUTIONS and not exhibition.subject.is_image:
            exhibition.table(method, samples, of_samples)
    return of_model, of_samples
