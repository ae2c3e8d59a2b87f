"""Use-cases of jobs, on both databases."""

import threading
from typing import Any

import pytest
from pydantic import ValidationError

from services import datasets, jobs, lifecycle, registry
from services.errors import Conflict, Invalid, NotFound
from services.requests.jobs import JOB_REQUEST
from services.resources import Resources
from services.tables import Dataset, Job, Model, ModelVersion

IMAGES: dict[str, Any] = {
    "modality": "image",
    "task": "classification",
    "splits": {"train": {"count": 100}},
    "classes": ["a", "b"],
    "input": {"name": "image", "dtype": "uint8", "shape": [1, 28, 28]},
    "digest": "sha256:1",
}
ROWS: dict[str, Any] = {
    "modality": "tabular",
    "task": "regression",
    "splits": {"train": {"count": 100}},
    "classes": None,
    "input": {"name": "features", "dtype": "float32", "shape": [2], "columns": []},
    "digest": "sha256:2",
}
TRAIN: dict[str, Any] = {"kind": "train", "architecture": "lenet", "dataset": "images"}


@pytest.fixture(autouse=True)
def data(resources: Resources) -> None:
    with resources.database.transaction() as session:
        session.add(Dataset(name="images", format="idx", manifest=IMAGES))
        session.add(Dataset(name="rows", format="csv", manifest=ROWS))
        session.add(Dataset(name="unlabelled", format="csv", manifest={**IMAGES, "task": None}))
        session.add(Dataset(name="arriving", format="csv", job=Job(kind="ingest", queue="io", request={})))


def submit(resources: Resources, body: dict[str, Any], key: str | None = None) -> Job:
    with resources.database.transaction() as session:
        return jobs.submit(session, resources, JOB_REQUEST.validate_python(body), idempotency_key=key)


def trained(resources: Resources, number: int = 1) -> None:
    with resources.database.transaction() as session:
        job = lifecycle.create(session, Job(kind="train", queue="cpu", request={}))
        model = Model(name="m", task="classification")
        signature = {"task": "classification", "modality": "image", "input": IMAGES["input"], "labels": ["a", "b"]}
        version = ModelVersion(
            number=number,
            architecture="lenet",
            hyperparameters={},
            dataset_name="images",
            dataset_digest="sha256:1",
            metrics={},
            parity={},
            signature=signature,
            labels=["a", "b"],
            onnx_sha256="0",
            onnx_size=1,
            record={},
            job_id=job.id,
        )
        model.versions.append(version)
        session.add(model)


def test_a_submitted_job_is_queued_and_rings(resources: Resources) -> None:
    before = resources.doorbell.depth("cpu")
    job = submit(resources, TRAIN)
    assert (job.state, job.queue, job.dataset_name, job.model_name) == ("queued", "cpu", "images", "images-lenet")
    assert resources.doorbell.depth("cpu") == before + 1


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"architecture": "lenin"}, ["body", "architecture"]),
        ({"dataset": "nowhere"}, ["body", "dataset"]),
        ({"dataset": "arriving"}, ["body", "dataset"]),
        ({"dataset": "unlabelled"}, ["body", "dataset"]),
        ({"dataset": "rows"}, ["body", "architecture"]),
        ({"hyperparameters": {"drop_out": 0.1}}, ["body", "hyperparameters", "drop_out"]),
        ({"hyperparameters": {"dropout": 7}}, ["body", "hyperparameters", "dropout"]),
        ({"training": {"epochs": 0}}, ["body", "training", "epochs"]),
        ({"training": {"epoch": 1}}, ["body", "training", "epoch"]),
        ({"training": {"optimizer": {"name": "adman"}}}, ["body", "training", "optimizer", "name"]),
        ({"training": {"optimizer": {"name": "sgd", "momentum": 2}}}, ["body", "training", "optimizer", "momentum"]),
        ({"training": {"optimizer": {"name": "sgd", "beta1": 0.9}}}, ["body", "training", "optimizer", "beta1"]),
        ({"training": {"optimizer": "adam"}}, ["body", "training", "optimizer"]),
        ({"training": {"scheduler": {"name": "cosinus"}}}, ["body", "training", "scheduler", "name"]),
        ({"training": {"loss": {"name": "mse"}}}, ["body", "training", "loss", "name"]),
        ({"training": {"device": "cuda"}}, ["body", "training", "device"]),
        (
            {"training": {"early_stopping": {"metric": "val_mae"}}},
            ["body", "training", "early_stopping", "metric"],
        ),
        ({"training": {"early_stopping": {}, "split": {"validation": 0}}}, ["body", "training", "early_stopping"]),
        (
            {"architecture": "mlp", "dataset": "rows", "training": {"augmentation": ["flip"]}},
            ["body", "training", "augmentation"],
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_refused_naming_its_field(
    resources: Resources, change: dict[str, Any], loc: list[str]
) -> None:
    with pytest.raises(Invalid) as caught:
        submit(resources, {**TRAIN, **change})
    assert {tuple(error["loc"]) for error in caught.value.errors} == {tuple(loc)}


TEXT: dict[str, Any] = {"name": "text", "dtype": "string", "shape": []}
SERIES: dict[str, Any] = {"name": "series", "dtype": "float32", "shape": [None, 1], "columns": []}


OF_TEXTS = [
    ("text", "classification", TEXT, ["a", "b"]),
    ("text", "tagging", {**TEXT, "shape": [None]}, ["O", "B-x"]),
    ("text", "translation", TEXT, None),
    ("text", None, TEXT, None),
    ("tree", "classification", {**TEXT, "name": "tree"}, ["0", "1"]),
]
OF_SERIES = [("series", "forecasting", SERIES, None), ("series", "regression", SERIES, None)]


@pytest.mark.parametrize(
    ("architecture", "modality", "task", "input", "classes"),
    [
        *((architecture, *data) for architecture in ("lenet", "mlp", "linear", "unet") for data in OF_TEXTS),
        *((architecture, *data) for architecture in ("lenet", "unet") for data in OF_SERIES),
    ],
)
def test_an_architecture_for_other_data_is_refused_by_name(
    resources: Resources, architecture: str, modality: str, task: str | None, input: dict[str, Any], classes: Any
) -> None:
    manifest = {**IMAGES, "modality": modality, "task": task, "input": input, "classes": classes}
    with resources.database.transaction() as session:
        session.add(Dataset(name="sequences", format="auto", manifest=manifest))
    training = {"augmentation": ["flip"], "early_stopping": {"metric": "val_loss"}}
    with pytest.raises(Invalid) as caught:
        submit(resources, {"kind": "train", "architecture": architecture, "dataset": "sequences", "training": training})
    assert caught.value.code == "job_invalid"
    assert f"this data set holds {modality} data" in caught.value.detail


def test_every_wrong_field_is_named_at_once(resources: Resources) -> None:
    wrong = {**TRAIN, "hyperparameters": {"dropout": -1}, "training": {"epochs": "many", "batch_size": 0}}
    with pytest.raises(Invalid) as caught:
        submit(resources, wrong)
    assert sorted(str(error["loc"][-1]) for error in caught.value.errors) == ["batch_size", "dropout", "epochs"]


def test_the_same_key_and_body_is_the_same_job(resources: Resources) -> None:
    first, second = submit(resources, TRAIN, key="k"), submit(resources, TRAIN, key="k")
    assert first.id == second.id


def test_the_same_key_with_another_body_is_a_conflict(resources: Resources) -> None:
    submit(resources, TRAIN, key="k")
    with pytest.raises(Conflict) as caught:
        submit(resources, {**TRAIN, "model": "other"}, key="k")
    assert caught.value.code == "idempotency_key_reused"


def test_one_key_sent_many_times_at_once_makes_one_job(resources: Resources) -> None:
    ids: list[str] = []
    barrier = threading.Barrier(10)

    def send() -> None:
        barrier.wait()
        ids.append(submit(resources, TRAIN, key="k").id)

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 10
    assert len(set(ids)) == 1


def test_a_queued_job_is_cancelled_and_paused_at_once(resources: Resources) -> None:
    for use_case, state in ((jobs.cancel, "cancelled"), (jobs.pause, "paused")):
        job = submit(resources, TRAIN)
        with resources.database.transaction() as session:
            assert use_case(session, job.id).state == state


def test_a_running_job_is_told_and_not_changed_behind_its_worker(resources: Resources) -> None:
    for use_case, state in ((jobs.cancel, "cancelling"), (jobs.pause, "pausing")):
        job = submit(resources, TRAIN)
        with resources.database.transaction() as session:
            lifecycle.claim(session, job.id, worker="w", lease_seconds=30)
            assert use_case(session, job.id).state == state


def test_a_paused_job_is_resumed_and_rings_and_a_queued_one_is_not(resources: Resources) -> None:
    job = submit(resources, TRAIN)
    with pytest.raises(Conflict), resources.database.transaction() as session:
        jobs.resume(session, job.id)
    with resources.database.transaction() as session:
        jobs.pause(session, job.id)
    before = resources.doorbell.depth("cpu")
    with resources.database.transaction() as session:
        assert jobs.resume(session, job.id).state == "queued"
    assert resources.doorbell.depth("cpu") == before + 1


def test_an_ended_job_can_be_neither_cancelled_nor_paused(resources: Resources) -> None:
    job = submit(resources, TRAIN)
    with resources.database.transaction() as session:
        jobs.cancel(session, job.id)
    for use_case in (jobs.cancel, jobs.pause):
        with pytest.raises(Conflict), resources.database.transaction() as session:
            use_case(session, job.id)


def test_evaluate_fixes_the_version_it_was_submitted_for(resources: Resources) -> None:
    trained(resources, number=3)
    job = submit(resources, {"kind": "evaluate", "model": "m", "dataset": "images"})
    assert job.request["version"] == 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "evaluate", "model": "n", "dataset": "images"}, "model"),
        ({"kind": "evaluate", "model": "m", "version": 9, "dataset": "images"}, "version"),
        ({"kind": "evaluate", "model": "m", "dataset": "rows"}, "dataset"),
        ({"kind": "evaluate", "model": "m", "dataset": "unlabelled"}, "dataset"),
        ({"kind": "infer", "model": "m", "dataset": "rows"}, "dataset"),
    ],
)
def test_a_model_or_data_that_do_not_fit_are_refused(resources: Resources, body: dict[str, Any], field: str) -> None:
    trained(resources)
    with pytest.raises(Invalid) as caught:
        submit(resources, body)
    assert caught.value.errors[0]["loc"] == ["body", field]


def test_optimize_uses_the_data_set_of_the_training(resources: Resources) -> None:
    trained(resources, number=3)
    job = submit(resources, {"kind": "optimize", "model": "m", "variants": ["int8", "fp16", "int8"]})
    assert (job.queue, job.dataset_name, job.model_name) == ("cpu", "images", "m")
    assert (job.request["version"], job.request["variants"]) == (3, ["int8", "fp16"])
    assert (job.request["max_accuracy_loss"], job.request["calibration_samples"]) == (0.01, 256)


@pytest.mark.parametrize("change", ["deleted", "other data"])
def test_int8_needs_the_data_set_of_the_training(resources: Resources, change: str) -> None:
    trained(resources)
    with resources.database.transaction() as session:
        dataset = datasets.get(session, "images")
        if change == "deleted":
            session.delete(dataset)
        else:
            dataset.manifest = {**IMAGES, "digest": "sha256:other"}
    with pytest.raises(Invalid) as caught:
        submit(resources, {"kind": "optimize", "model": "m"})
    assert caught.value.errors[0]["loc"] == ["body", "variants"]
    job = submit(resources, {"kind": "optimize", "model": "m", "variants": ["optimized", "fp16"]})
    assert job.dataset_name is None


@pytest.mark.parametrize(
    ("body", "field"),
    [({"model": "n"}, "model"), ({"model": "m", "version": "production"}, "version")],
)
def test_optimize_names_a_version_that_exists(resources: Resources, body: dict[str, Any], field: str) -> None:
    trained(resources)
    with pytest.raises(Invalid) as caught:
        submit(resources, {"kind": "optimize", **body})
    assert caught.value.errors[0]["loc"] == ["body", field]


@pytest.mark.parametrize(
    "change",
    [
        {"variants": []},
        {"variants": ["int4"]},
        {"max_accuracy_loss": -0.1},
        {"max_accuracy_loss": 2},
        {"calibration_samples": 0},
        {"owner": "me"},
    ],
)
def test_optimize_has_bounds(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JOB_REQUEST.validate_python({"kind": "optimize", "model": "m", **change})


def test_a_model_of_tensors_is_neither_evaluated_nor_inferred_with(resources: Resources) -> None:
    trained(resources)
    with resources.database.transaction() as session:
        registry.version(session, "m").signature = {"task": "tensors", "modality": "tensors", "inputs": []}
    for kind in ("evaluate", "infer"):
        with pytest.raises(Invalid) as caught:
            submit(resources, {"kind": kind, "model": "m", "dataset": "images"})
        assert caught.value.errors[0]["loc"] == ["body", "model"]


def test_infer_takes_unlabelled_data(resources: Resources) -> None:
    trained(resources)
    assert submit(resources, {"kind": "infer", "model": "m", "dataset": "unlabelled"}).state == "queued"


def test_pages_go_from_the_newest_to_the_oldest(resources: Resources) -> None:
    ids = [submit(resources, TRAIN).id for _ in range(5)]
    seen: list[str] = []
    cursor = None
    with resources.database.transaction() as session:
        while True:
            page = jobs.page(session, kind="train", state="queued", limit=2, cursor=cursor)
            seen += [job.id for job in page.items]
            if (cursor := page.next_cursor) is None:
                break
    assert seen == ids[::-1]


def test_the_queue_position_counts_those_before(resources: Resources) -> None:
    first, second = submit(resources, TRAIN), submit(resources, TRAIN)
    with resources.database.transaction() as session:
        assert jobs.queue_positions(session, [first, second]) == {first.id: 0, second.id: 1}


def test_what_does_not_exist_is_not_found(resources: Resources) -> None:
    with resources.database.transaction() as session:
        for look_up in (jobs.get, jobs.artifacts, jobs.cancel, jobs.pause):
            with pytest.raises(NotFound):
                look_up(session, "none")
