"""What is asked of models and data of text before a job is queued."""

from typing import Any

import numpy as np
import pytest

from services import jobs
from services.errors import Invalid
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Job
from tests.api.conftest import add_dataset, add_version
from tests.serving_models import (
    image_classifier,
    image_signature,
    text_classifier,
    text_signature,
    tree_classifier,
    tree_signature,
)

TEXT: dict[str, Any] = {
    "modality": "text",
    "task": "classification",
    "splits": {"train": {"count": 100}},
    "classes": ["short", "middle", "long"],
    "input": {"name": "text", "dtype": "string", "shape": []},
    "target": {"name": "label", "dtype": "int64", "shape": []},
}
IMAGES = {**TEXT, "modality": "image", "input": image_signature()["input"]}
TREES = {**TEXT, "modality": "tree", "input": {"name": "tree", "dtype": "string", "shape": []}}
PAIRS = {**TEXT, "task": "translation", "classes": None, "target": {"name": "target", "dtype": "string", "shape": []}}
TAGS = {**TEXT, "task": "tagging", "input": {"name": "tokens", "dtype": "string", "shape": [None]}}


TRAIN = {"kind": "train", "architecture": "gru", "dataset": "words"}
OF_HYPERPARAMETERS = ("job_invalid", "hyperparameters")


@pytest.fixture(autouse=True)
def registered(resources: Resources) -> None:
    arrays = {"train.inputs": np.frombuffer(b"abc", np.uint8), "train.inputs.offsets": np.array([0, 1, 3])}
    for name, manifest in (("words", TEXT), ("tags", TAGS), ("trees", TREES), ("pairs", PAIRS), ("pictures", IMAGES)):
        add_dataset(resources, name, arrays, manifest)
    add_version(resources, "lengths", text_classifier(), text_signature())
    add_version(resources, "forms", tree_classifier(), tree_signature())
    add_version(resources, "shades", image_classifier(), image_signature())


def submit(resources: Resources, **body: Any) -> Job:
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


@pytest.mark.parametrize("architecture", ["rnn", "lstm", "gru"])
def test_text_is_trained_on(resources: Resources, architecture: str) -> None:
    for kind in ("train", "cross_validate", "learning_curve"):
        assert submit(resources, kind=kind, architecture=architecture, dataset="words").state == "queued"


def test_the_task_that_is_asked_for_is_trained(resources: Resources) -> None:
    job = submit(resources, **TRAIN, task="text_generation")
    assert (job.state, job.request["task"]) == ("queued", "text_generation")
    search = {**TRAIN, "kind": "search", "task": "text_generation", "space": {"hyperparameters.hidden_dim": [8, 16]}}
    assert submit(resources, **search).request["metric"] == "val_bits_per_token"
    assert submit(resources, **TRAIN).request["task"] is None


@pytest.mark.parametrize(("architecture", "dataset"), [("lstm", "tags"), ("recursive", "trees"), ("seq2seq", "pairs")])
def test_tagged_words_trees_and_pairs_are_trained_on(resources: Resources, architecture: str, dataset: str) -> None:
    for body in ({"kind": "train"}, {"kind": "cross_validate"}, {"kind": "search", "strategy": "random", "trials": 2}):
        assert submit(resources, **body, architecture=architecture, dataset=dataset).state == "queued"


def test_folds_that_divide_by_class_are_refused_by_the_task_that_has_none(resources: Resources) -> None:
    for architecture, dataset, task in (("lstm", "tags", "tagging"), ("seq2seq", "pairs", "translation")):
        body = {"architecture": architecture, "dataset": dataset, "method": "stratified_k_fold"}
        with pytest.raises(Invalid, match=f"is for {task}; use k_fold"):
            submit(resources, kind="cross_validate", **body)


@pytest.mark.parametrize("kind", ["evaluate", "infer"])
def test_a_text_model_is_asked_about_text_alone(resources: Resources, kind: str) -> None:
    assert submit(resources, kind=kind, model="lengths", dataset="words").state == "queued"
    for model, dataset in (("lengths", "pictures"), ("shades", "words")):
        with pytest.raises(Invalid) as caught:
            submit(resources, kind=kind, model=model, dataset=dataset)
        assert caught.value.code == "dataset_mismatch"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"kind": "optimize", "model": "lengths"}, "model_not_optimized", "model"),
        ({"kind": "diagnose", "architecture": "gru", "dataset": "words"}, "data_not_diagnosed", "dataset"),
        ({"kind": "diagnose", "architecture": "recursive", "dataset": "trees"}, "data_not_diagnosed", "dataset"),
        ({"kind": "bias_variance", "architecture": "gru", "dataset": "tags"}, "task_unsuitable", "dataset"),
        ({"kind": "baseline", "dataset": "tags"}, "task_unsuitable", "dataset"),
        ({"kind": "train", "architecture": "recursive", "dataset": "words"}, "job_invalid", "architecture"),
        ({"kind": "optimize", "model": "forms"}, "model_not_optimized", "model"),
        ({"kind": "explain", "model": "forms"}, "model_without_weights", "model"),
        ({"kind": "train", "architecture": "gru", "dataset": "pictures"}, "job_invalid", "architecture"),
        ({**TRAIN, "task": "regression"}, "job_invalid", "task"),
        ({**TRAIN, "task": "text_generation", "hyperparameters": {"bidirectional": True}}, *OF_HYPERPARAMETERS),
        ({**TRAIN, "task": "text_generation", "hyperparameters": {"spelling": 4}}, *OF_HYPERPARAMETERS),
        ({**TRAIN, "kind": "cross_validate", "task": "text_generation"}, "task_unsuitable", "task"),
        ({**TRAIN, "kind": "search", "task": "regression"}, "job_invalid", "task"),
        ({**TRAIN, "dataset": "tags", "task": "text_generation"}, "job_invalid", "task"),
        ({"kind": "infer", "model": "lengths", "dataset": "tags"}, "dataset_mismatch", "dataset"),
        (
            {"kind": "train", "architecture": "gru", "dataset": "words", "hyperparameters": {"unit": "letters"}},
            *OF_HYPERPARAMETERS,
        ),
    ],
)
def test_what_is_not_for_text_is_refused_by_name(
    resources: Resources, body: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        submit(resources, **body)
    assert (caught.value.code, caught.value.errors[0]["loc"][:2]) == (code, ["body", field])
