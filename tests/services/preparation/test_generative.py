"""What is refused before it is queued of networks that reconstruct or make samples, which need no targets."""

from typing import Any

import pytest

from services import jobs
from services.errors import Invalid
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job
from tests.api.conftest import add_version
from tests.serving_models import image_classifier

IMAGE: dict[str, Any] = {"name": "image", "dtype": "uint8", "shape": [1, 2, 2]}
LABELLED: dict[str, Any] = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 40}},
    "classes": ["a", "b"],
    "class_counts": {"train": [20, 20]},
    "input": IMAGE,
    "target": {"name": "label", "dtype": "int64", "shape": []},
    "digest": "sha256:1",
}
UNLABELLED = {**LABELLED, "task": None, "classes": None, "class_counts": None, "target": None, "digest": "sha256:2"}
TABLE: dict[str, Any] = {
    **UNLABELLED,
    "modality": "tabular",
    "input": {"name": "features", "dtype": "float32", "shape": [1], "columns": [{"name": "x", "kind": "numeric"}]},
    "digest": "sha256:3",
}
OTHER_CLASSES = {**LABELLED, "classes": ["a", "c"], "digest": "sha256:4"}
GENERATIVE: dict[str, Any] = {"code": 2, "prior": "normal"}


def signature(task: str, labels: list[str] | None = None, described: dict[str, Any] = IMAGE) -> dict[str, Any]:
    output = {**IMAGE, "name": "reconstruction"}
    return {"task": task, "modality": "image", "input": described, "output": output, "labels": labels}


@pytest.fixture(autouse=True)
def registered(resources: Resources) -> None:
    sets = {"labelled": LABELLED, "unlabelled": UNLABELLED, "table": TABLE, "other": OTHER_CLASSES}
    with resources.database.transaction() as session:
        for name, manifest in sets.items():
            session.add(Dataset(name=name, format="npz", manifest=manifest))
    versions = {
        "plain": signature("reconstruction"),
        "told": signature("generation", ["a", "b"]),
        "drawing": signature("generation", described={"name": "code", "dtype": "float32", "shape": [2]}),
    }
    for name, described in versions.items():
        add_version(resources, name, image_classifier(), described, generative=GENERATIVE)


def submit(resources: Resources, **body: Any) -> Job:
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


def refusal(resources: Resources, **body: Any) -> tuple[str, list[Any], str]:
    with pytest.raises(Invalid) as caught:
        submit(resources, **body)
    (error,) = caught.value.errors
    return caught.value.code, list(error["loc"][1:]), error["msg"]


def train(**given: Any) -> dict[str, Any]:
    return {"kind": "train", "architecture": "vae", "dataset": "labelled", **given}


@pytest.mark.parametrize("dataset", ["labelled", "unlabelled", "table"])
@pytest.mark.parametrize("architecture", ["autoencoder", "vae", "gan"])
def test_any_data_set_will_do(resources: Resources, architecture: str, dataset: str) -> None:
    assert submit(resources, **train(architecture=architecture, dataset=dataset)).state == "queued"


@pytest.mark.parametrize(
    ("given", "loc"),
    [
        ({"training": {"loss": {"name": "mse"}}}, ["training", "loss", "name"]),
        ({"training": {"label_noise": 0.1}}, ["training", "label_noise"]),
        ({"training": {"early_stopping": {"metric": "val_accuracy"}}}, ["training", "early_stopping", "metric"]),
        ({"dataset": "unlabelled", "hyperparameters": {"conditional": True}}, ["hyperparameters", "conditional"]),
        ({"dataset": "table", "hyperparameters": {"channels": [8]}}, ["hyperparameters", "channels"]),
        ({"dataset": "table", "hyperparameters": {"loss": "bernoulli"}}, ["hyperparameters", "loss"]),
        ({"architecture": "gan", "training": {"early_stopping": {}}}, ["training", "early_stopping"]),
        ({"architecture": "gan", "training": {"scheduler": {"name": "plateau"}}}, ["training", "scheduler"]),
        ({"architecture": "dcgan", "dataset": "table"}, ["architecture"]),
    ],
)
def test_what_does_not_suit_is_refused_with_its_field(
    resources: Resources, given: dict[str, Any], loc: list[str]
) -> None:
    assert refusal(resources, **train(**given))[:2] == ("job_invalid", loc)


@pytest.mark.parametrize(
    ("given", "field", "remedy"),
    [
        ({"sparsity_penalty": "kl"}, "code_activation", "must be sigmoid where sparsity_penalty is kl"),
        ({"sparsity_penalty": "kl", "code_activation": "relu"}, "code_activation", "must be sigmoid"),
        ({"code_dim": None, "hidden_dims": []}, "channels", "must not be empty where code_dim is null"),
    ],
)
def test_of_hyperparameters_that_do_not_suit_each_other_the_one_to_be_changed_is_named(
    resources: Resources, given: dict[str, Any], field: str, remedy: str
) -> None:
    _, loc, msg = refusal(resources, **train(architecture="autoencoder", hyperparameters=given))
    assert loc == ["hyperparameters", field]
    assert msg.startswith(remedy)


def test_hyperparameters_that_ask_something_of_each_other_can_be_searched(resources: Resources) -> None:
    body = {"kind": "search", "architecture": "autoencoder", "dataset": "labelled"}
    space = {"hyperparameters.code_dim": {"choices": [2, 4]}}
    assert [each["path"] for each in submit(resources, **body, space=space).request["dimensions"]] == list(space)
    usual = {each["path"] for each in submit(resources, **body).request["dimensions"]}
    assert usual > {"hyperparameters.code_dim", "hyperparameters.code_activation", "hyperparameters.sparsity"}


def test_a_model_holds_versions_for_one_task(resources: Resources) -> None:
    assert refusal(resources, **train(model="plain"))[:2] == ("model_task_differs", ["model"])
    assert submit(resources, **train(model="told")).state == "queued"


def test_a_classifier_still_needs_labels(resources: Resources) -> None:
    code, loc, said = refusal(resources, **train(architecture="mlp", dataset="unlabelled"))
    assert (code, loc) == ("job_invalid", ["dataset"])
    assert "mlp needs a labelled data set" in said


@pytest.mark.parametrize("kind", ["evaluate", "infer"])
@pytest.mark.parametrize(
    ("model", "dataset", "code"),
    [
        ("drawing", "labelled", "model_takes_codes"),
        ("plain", "table", "dataset_mismatch"),
        ("told", "unlabelled", "dataset_mismatch"),
        ("told", "other", "dataset_mismatch"),
    ],
)
def test_rows_that_a_version_cannot_be_given_are_refused(
    resources: Resources, kind: str, model: str, dataset: str, code: str
) -> None:
    assert refusal(resources, kind=kind, model=model, dataset=dataset)[0] == code


@pytest.mark.parametrize("kind", ["evaluate", "infer"])
def test_rows_without_labels_are_evaluated_by_a_network_that_is_told_none(resources: Resources, kind: str) -> None:
    assert submit(resources, kind=kind, model="plain", dataset="unlabelled").state == "queued"
    assert submit(resources, kind=kind, model="told", dataset="labelled").state == "queued"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "optimize", "model": "plain"}, "model_not_optimized"),
        ({"kind": "explain", "model": "plain"}, "model_without_weights"),
        ({"kind": "cross_validate", "architecture": "vae", "dataset": "labelled"}, "task_unsuitable"),
        ({"kind": "learning_curve", "architecture": "autoencoder", "dataset": "labelled"}, "task_unsuitable"),
        ({"kind": "bias_variance", "architecture": "vae", "dataset": "labelled"}, "task_unsuitable"),
    ],
)
def test_other_kinds_are_for_other_tasks(resources: Resources, body: dict[str, Any], code: str) -> None:
    assert refusal(resources, **body)[0] == code
