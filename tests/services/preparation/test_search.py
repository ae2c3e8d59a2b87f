"""What a search is resolved into, and what is refused before it is queued."""

from typing import Any

import pytest

from services import jobs, migrations
from services.database import Database
from services.errors import Invalid
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job, Model
from shapes.search import Dimension, grid_size

IMAGES: dict[str, Any] = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 100}},
    "classes": ["a", "b"],
    "class_counts": {"train": [90, 10]},
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 28, 28]},
    "target": {"name": "label", "dtype": "int64", "shape": []},
    "digest": "sha256:1",
}
ROWS: dict[str, Any] = {
    "modality": "tabular",
    "task": "regression",
    "splits": {"train": {"count": 100}},
    "classes": None,
    "class_counts": None,
    "input": {"name": "features", "dtype": "float32", "shape": [2], "columns": [{"name": "x", "kind": "numeric"}] * 2},
    "target": {"name": "target", "dtype": "float32", "shape": []},
    "digest": "sha256:2",
}
TEXTS: dict[str, Any] = {
    **IMAGES,
    "modality": "text",
    "input": {"name": "text", "dtype": "string", "shape": []},
    "digest": "sha256:3",
}
TAGS: dict[str, Any] = {
    **TEXTS,
    "task": "tagging",
    "class_counts": None,
    "input": {"name": "tokens", "dtype": "string", "shape": [None]},
    "digest": "sha256:4",
}
SERIES: dict[str, Any] = {
    **ROWS,
    "modality": "series",
    "input": {**ROWS["input"], "name": "series", "shape": [None, 2]},
    "digest": "sha256:5",
}
SALES: dict[str, Any] = {**SERIES, "task": "forecasting", "target": None, "digest": "sha256:6"}
RATE = "training.optimizer.learning_rate"
DROPOUT = "hyperparameters.dropout"
BATCH = "training.batch_size"


@pytest.fixture(scope="module")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One database will do: nothing here is left to it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('search') / 'syllabus.db'}"
    database = Database(url)
    migrations.upgrade(database)
    with database.transaction() as session:
        session.add(Dataset(name="images", format="idx", manifest=IMAGES))
        session.add(Dataset(name="rows", format="csv", manifest=ROWS))
        few = {**ROWS, "splits": {"train": {"count": 2}}, "digest": "sha256:7"}
        session.add(Dataset(name="few", format="csv", manifest=few))
        for name, manifest in (("texts", TEXTS), ("tags", TAGS), ("series", SERIES), ("sales", SALES)):
            session.add(Dataset(name=name, format="auto", manifest=manifest))
        session.add(Model(name="of-rows", task="regression"))
        session.add(Job(id="0198c0de-0000-7000-8000-000000000000", kind="train", queue="cpu", request={}))
    database.close()
    return url


def submit(resources: Resources, **given: Any) -> Job:
    body = {"kind": "search", "architecture": "lenet", "dataset": "images", **given}
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)


def dimensions(job: Job) -> dict[str, Dimension]:
    found = (Dimension.model_validate(each) for each in job.request["dimensions"])
    return {dimension.path: dimension for dimension in found}


def test_the_default_is_twenty_trials_over_the_learning_rate_and_what_the_architecture_declares(
    resources: Resources,
) -> None:
    job = submit(resources)
    assert (job.kind, job.state, job.queue, job.model_name) == ("search", "queued", "trials", "images-best")
    assert (job.request["trials"], job.request["queue"], job.request["metric"]) == (20, "cpu", "val_accuracy")
    assert job.request["objectives"] == [{"metric": "val_accuracy", "direction": "maximize"}]
    found = dimensions(job)
    assert set(found) == {"hyperparameters.activation", "hyperparameters.pooling", DROPOUT, RATE}
    assert (found[RATE].kind, found[RATE].low, found[RATE].high, found[RATE].log) == ("float", 1e-5, 0.1, True)
    assert found["hyperparameters.pooling"].choices == ("max", "average")


def test_what_is_fixed_is_not_varied_by_default(resources: Resources) -> None:
    fixed = {"hyperparameters": {"dropout": 0.1}, "training": {"optimizer": {"name": "sgd", "learning_rate": 0.1}}}
    assert set(dimensions(submit(resources, **fixed))) == {"hyperparameters.activation", "hyperparameters.pooling"}
    sgd = dimensions(submit(resources, training={"optimizer": {"name": "sgd"}}))
    assert (sgd[RATE].low, sgd[RATE].high) == (1e-4, 1.0)


OF_FORECASTS = {"context", "normalisation"}
OF_TEXTS = {"vocabulary", "max_length", "embedding_dim", "embedding_scale"}
OF_LAYERS = {"hidden_dim", "num_layers", "skip", "leak", "dropout", "layer_norm"}


@pytest.mark.parametrize(
    ("given", "varied"),
    [
        ({"architecture": "linear", "dataset": "rows"}, {"bias", "degree"}),
        ({"architecture": "linear", "dataset": "sales"}, {"bias", "degree"} | OF_FORECASTS),
        ({"architecture": "gru", "dataset": "series"}, OF_LAYERS | {"bidirectional"}),
        ({"architecture": "gru", "dataset": "sales"}, OF_LAYERS | {"bidirectional"} | OF_FORECASTS),
        ({"architecture": "gru", "dataset": "texts"}, OF_LAYERS | OF_TEXTS | {"bidirectional", "spelling", "unit"}),
        ({"architecture": "gru", "dataset": "tags"}, OF_LAYERS | OF_TEXTS | {"bidirectional", "spelling"}),
        ({"architecture": "gru", "dataset": "texts", "task": "text_generation"}, OF_LAYERS | OF_TEXTS | {"unit"}),
    ],
)
def test_the_default_varies_what_says_something_of_the_data(
    resources: Resources, given: dict[str, Any], varied: set[str]
) -> None:
    assert set(dimensions(submit(resources, **given))) == {f"hyperparameters.{name}" for name in varied} | {RATE}


def test_of_several_architectures_each_has_its_own_hyperparameters_and_shares_what_both_allow(
    resources: Resources,
) -> None:
    found = dimensions(submit(resources, architecture=["lenet", "mlp"]))
    assert next(iter(found)) == "architecture"
    assert [(each.path, each.values) for each in found["hyperparameters.pooling"].when] == [
        ("architecture", ("lenet",))
    ]
    assert found[DROPOUT].when == found[RATE].when == ()
    assert found["hyperparameters.activation"].choices == ("relu", "tanh", "elu")


def test_conditions_come_after_what_they_name(resources: Resources) -> None:
    space = {
        "training.optimizer.momentum": {"low": 0, "high": 0.9, "when": {"training.optimizer.name": "sgd"}},
        "training.optimizer.name": ["adam", "sgd"],
        BATCH: {"low": 16, "high": 64, "log": True},
    }
    found = dimensions(submit(resources, space=space))
    assert list(found) == ["training.optimizer.name", "training.optimizer.momentum", BATCH]
    assert found[BATCH].kind == "int"


def test_a_grid_has_as_many_trials_as_points(resources: Resources) -> None:
    space = {BATCH: {"low": 10, "high": 100, "step": 20}, DROPOUT: [0.0, 0.5]}
    job = submit(resources, strategy="grid", space=space)
    assert job.request["trials"] == 10 == grid_size(list(dimensions(job).values()), 100)
    assert submit(resources, strategy="grid", space=space, trials=3).request["trials"] == 3


def test_a_list_has_as_many_trials_as_configurations(resources: Resources) -> None:
    configurations = [{RATE: 0.1}, {RATE: 0.01, DROPOUT: 0.5}]
    job = submit(resources, strategy="manual", configurations=configurations)
    assert (job.request["trials"], job.request["dimensions"]) == (2, [])


def test_several_objectives_have_their_directions(resources: Resources) -> None:
    job = submit(resources, objectives=[{"metric": "val_loss"}, {"metric": "latency_ms"}, {"metric": "val_accuracy"}])
    assert [each["direction"] for each in job.request["objectives"]] == ["minimize", "minimize", "maximize"]
    assert submit(resources, dataset="rows", architecture="mlp").request["metric"] == "val_mae"


def test_a_search_begins_with_an_earlier_one(resources: Resources) -> None:
    earlier = submit(resources).id
    assert submit(resources, warm_start=earlier).request["warm_start"] == earlier


MANY = {"low": 1, "high": 1000, "step": 1}
BAD: list[tuple[dict[str, Any], list[Any], str]] = [
    ({"space": {}}, ["space"], "nothing to search"),
    ({"architecture": "lenin"}, ["architecture"], "lenet"),
    ({"architecture": "dcgan", "dataset": "images"}, ["architecture"], "no validation metrics"),
    ({"architecture": ["lenet", "lenin"]}, ["architecture", 1], "lenet"),
    ({"architecture": ["lenet", "lenet"]}, ["architecture", 1], "already"),
    ({"architecture": ["linear", "mlp"], "dataset": "images"}, ["architecture", 0], "linear"),
    ({"dataset": "nowhere"}, ["dataset"], "nowhere"),
    ({"model": "of-rows"}, ["model"], "regression"),
    ({"hyperparameters": {"drop": 1}}, ["hyperparameters", "drop"], "unknown"),
    ({"architecture": ["lenet", "mlp"], "hyperparameters": {"drop": 1}}, ["hyperparameters", "drop"], "unknown"),
    ({"training": {"epochs": 0}}, ["training", "epochs"], "minimum"),
    ({"space": {"hyperparameters.drop": [1]}}, ["space", "hyperparameters.drop"], "hyperparameters.dropout"),
    ({"space": {"training.epoch": [1]}}, ["space", "training.epoch"], "training.epochs"),
    ({"space": {"epochs": [1]}}, ["space", "epochs"], "training.epochs"),
    ({"space": {"training.optimizer.speed": [1]}}, ["space", "training.optimizer.speed"], "learning_rate"),
    ({"space": {"training.device": ["cpu"]}}, ["space", "training.device"], "same for all"),
    ({"space": {"training.split.test": [0.1]}}, ["space", "training.split.test"], "same for all"),
    ({"space": {DROPOUT: {"low": 0.5, "high": 0.1}}}, ["space", DROPOUT, "low"], "above high"),
    ({"space": {RATE: {"low": 0, "high": 1, "log": True}}}, ["space", RATE, "low"], "above 0"),
    ({"space": {RATE: {"low": -1, "high": 1, "log": True}}}, ["space", RATE, "low"], "above 0"),
    ({"space": {RATE: {"low": 0.1, "high": 1, "log": True, "step": 0.1}}}, ["space", RATE, "step"], "log"),
    ({"space": {DROPOUT: {"low": 0.1}}}, ["space", DROPOUT], "high"),
    ({"space": {DROPOUT: {"choices": [0.1], "low": 0.1}}}, ["space", DROPOUT, "low"], "range"),
    ({"space": {DROPOUT: {"low": 0, "high": 1.5}}}, ["space", DROPOUT, "high"], "0.95"),
    ({"space": {DROPOUT: [0.1, 7]}}, ["space", DROPOUT, "choices", 1], "0.95"),
    ({"space": {DROPOUT: [0.1, "x"]}}, ["space", DROPOUT, "choices", 1], "number"),
    ({"space": {DROPOUT: [0.1, 0.1]}}, ["space", DROPOUT, "choices", 1], "already"),
    ({"space": {BATCH: {"low": 1.5, "high": 4}}}, ["space", BATCH, "low"], "whole"),
    ({"space": {"hyperparameters.pooling": {"low": 0, "high": 1}}}, ["space", "hyperparameters.pooling"], "choices"),
    ({"space": {DROPOUT: [0.1], "training.l2": {"choices": [0.0], "when": {"training.l1": 1}}}},
     ["space", "training.l2", "when", "training.l1"], "not varied"),
    ({"space": {DROPOUT: [0.1], "training.l2": {"choices": [0.0], "when": {DROPOUT: 0.3}}}},
     ["space", "training.l2", "when", DROPOUT], "no value"),
    ({"space": {DROPOUT: {"low": 0, "high": 0.5}, "training.l2": {"choices": [0.0], "when": {DROPOUT: 0.3}}}},
     ["space", "training.l2", "when", DROPOUT], "no value"),
    ({"space": {"training.l1": {"choices": [0.0], "when": {"training.l2": 0.0}},
                "training.l2": {"choices": [0.0], "when": {"training.l1": 0.0}}}},
     ["space", "training.l1", "when"], "each other"),
    ({"space": {DROPOUT: [0.1]}, "hyperparameters": {"dropout": 0.2}}, ["space", DROPOUT], "fixed"),
    ({"space": {"training.optimizer.name": ["adam", "sgd"], "training.optimizer.momentum": [0.9]}},
     ["space", "training.optimizer.momentum", "choices", 0], "adam"),
    ({"strategy": "grid", "space": {DROPOUT: {"low": 0, "high": 0.5}}}, ["space", DROPOUT], "step"),
    ({"strategy": "grid", "space": {BATCH: {"low": 1, "high": 1000}}}, ["space", BATCH], "step"),
    ({"strategy": "grid", "space": {BATCH: MANY, "training.epochs": MANY}}, ["space"], "1,000"),
    ({"strategy": "grid", "space": {DROPOUT: [0.1]}, "trials": 2}, ["trials"], "1 config"),
    ({"strategy": "gaussian_process", "trials": 1001}, ["trials"], "bayesian"),
    ({"strategy": "evolution", "space": {DROPOUT: {"low": 0, "high": 0.5}}}, ["strategy"], "two"),
    ({"strategy": "evolution", "space": {DROPOUT: {"low": 0, "high": 0.5}, RATE: {"low": 0.1, "high": 1}},
      "objectives": [{"metric": "val_loss"}, {"metric": "parameters"}]}, ["strategy"], "several"),
    ({"strategy": "manual"}, ["configurations"], "missing"),
    ({"strategy": "manual", "configurations": [{}], "space": {}}, ["space"], "configurations"),
    ({"configurations": [{}]}, ["configurations"], "manual"),
    ({"strategy": "manual", "configurations": [{RATE: 1}, {RATE: -1}]}, ["configurations", 1], RATE),
    ({"strategy": "manual", "configurations": [{RATE: 1}, {RATE: 1}]}, ["configurations", 1], "twice"),
    ({"strategy": "manual", "configurations": [{"training.epoch": 1}]}, ["configurations", 0, "training.epoch"],
     "unknown"),
    ({"strategy": "manual", "configurations": [{RATE: 1}], "architecture": ["lenet", "mlp"]},
     ["configurations", 0, "architecture"], "mlp"),
    ({"metric": "val_mae"}, ["metric"], "val_accuracy"),
    ({"metric": "accuracy"}, ["metric"], "val_accuracy"),
    ({"metric": "val_loss", "objectives": [{"metric": "val_loss"}]}, ["metric"], "objectives"),
    ({"objectives": [{"metric": "val_loss"}, {"metric": "speed"}]}, ["objectives", 1, "metric"], "latency_ms"),
    ({"objectives": [{"metric": "val_loss"}, {"metric": "val_loss"}]}, ["objectives", 1, "metric"], "already"),
    ({"pruner": "median", "objectives": [{"metric": "val_loss"}, {"metric": "parameters"}]}, ["pruner"], "none"),
    ({"pruner": "median", "metric": "latency_ms"}, ["pruner"], "latency_ms"),
    ({"training": {"split": {"validation": 0.0}}}, ["training", "split", "validation"], "above 0"),
    ({"folds": 1}, ["folds"], "2 or more"),
    ({"folds": 9}, ["folds"], "at most 8"),
    ({"folds": 2, "refit": "all"}, ["refit"], "best"),
    ({"warm_start": "0198c0de-0000-7000-8000-000000000001"}, ["warm_start"], "no such"),
    ({"warm_start": "0198c0de-0000-7000-8000-000000000000"}, ["warm_start"], "train job"),
    ({"training": {"device": "cuda"}}, ["training", "device"], "GPU"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "loc", "said"), BAD)
def test_a_bad_call_is_refused_naming_its_field(
    resources: Resources, given: dict[str, Any], loc: list[Any], said: str
) -> None:
    with pytest.raises(Invalid) as caught:
        submit(resources, **given)
    assert all(error["loc"] == ["body", *loc] for error in caught.value.errors)
    assert said in caught.value.errors[0]["msg"]


@pytest.mark.parametrize("kind", ["search", "train"])
def test_rows_that_cannot_be_divided_are_refused_before_any_worker_tries(resources: Resources, kind: str) -> None:
    def submitted(**given: Any) -> Job:
        body = {"kind": kind, "architecture": "linear", "dataset": "few", **given}
        with resources.database.transaction() as session:
            return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=None)

    with pytest.raises(Invalid, match="2 rows are too few to hold 20% of them out for validation: add rows") as refused:
        submitted()
    assert (refused.value.code, refused.value.errors[0]["loc"]) == ("too_few_rows", ["body", "dataset"])
    with pytest.raises(Invalid, match="1 of 2 rows would be left to train on"):
        submitted(training={"split": {"validation": 0.5, "test": 0}})


def test_a_space_with_more_values_than_can_be_checked_is_refused(resources: Resources) -> None:
    rates = [10.0**-place for place in range(1, 90)]
    space: dict[str, list[Any]] = {f"training.{name}": rates for name in ("l1", "l2", "gradient_clip")}
    optimizers = ["sgd", "adagrad", "adadelta", "rmsprop", "adam", "adamw"]
    space |= {"training.optimizer.name": optimizers, "training.optimizer.learning_rate": rates}
    architectures = ["lenet", "mlp", "convnet", "perceptron"]
    with pytest.raises(Invalid, match="fewer choices"):
        submit(resources, architecture=architectures, space=space)
