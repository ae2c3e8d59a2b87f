"""Of `train`."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from services import datasets
from services.errors import Invalid
from services.preparation.division import check_rows, check_steps
from services.preparation.queues import compute_queue
from services.requests.train import TrainRequest
from services.resources import Resources
from services.tables import Job, Model


def prepare(session: Session, resources: Resources, request: TrainRequest) -> Job:
    """Its hyperparameters and settings are checked against the catalogue and the data set."""
    dataset = datasets.named_in_body(session, request.dataset)
    manifest = dataset.manifest or {}
    check = resources.catalogue.check_training
    task = check(request.architecture, request.hyperparameters, request.training, request.task, manifest)["name"]
    check_rows(resources.catalogue, request.training, manifest)
    check_steps(resources.catalogue, request, manifest)
    body = request.model_dump(mode="json")
    body["model"] = request.model or f"{request.dataset}-{request.architecture}"[:63]
    check_task(session, body["model"], task)
    return Job(
        kind="train",
        queue=compute_queue(session, request.training.get("device", "auto")),
        request=body,
        dataset_name=request.dataset,
        model_name=body["model"],
    )


def check_task(session: Session, name: str, task: str) -> None:
    """Raise `Invalid` if a model of this name holds versions for another task."""
    existing = session.scalar(select(Model.task).where(Model.name == name))
    if existing is not None and existing != task:
        msg = f"{name} holds versions for {existing} and this is {task}; choose another name"
        raise Invalid.field("model_task_differs", ["body", "model"], msg)
