"""The model registry: models, their versions and aliases."""

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.artifacts import StoredFile
from services.errors import Conflict, Invalid, NotFound
from services.pages import Page, newest_first
from services.tables import Job, Json, Model, ModelAlias, ModelVersion

LATEST = "latest"


def page(session: Session, *, limit: int, cursor: str | None) -> Page[Model]:
    """Models, newest first."""
    return newest_first(session, select(Model), Model.id, limit, cursor)


def get(session: Session, name: str) -> Model:
    """One model with its versions and aliases. Raises `NotFound`."""
    model = session.scalar(select(Model).where(Model.name == name))
    if model is None:
        raise NotFound("model_not_found", f"There is no model {name!r}.")
    return model


def version(session: Session, name: str, version: str = LATEST) -> ModelVersion:
    """One version by number, alias or `latest`. Raises `NotFound`."""
    model = get(session, name)
    if version == LATEST and model.versions:
        return model.versions[-1]
    numbers = {alias.alias: alias.number for alias in model.aliases}
    for candidate in model.versions:
        if str(candidate.number) == version or candidate.number == numbers.get(version):
            return candidate
    raise NotFound("version_not_found", f"Model {name!r} has no version {version!r}.")


def register(session: Session, job: Job, record: Json, onnx: StoredFile) -> ModelVersion:
    """Add the next version of the model that a train job names, within the job's own transaction.

    Raises `Conflict` if the model has meanwhile come to hold versions for another task.
    """
    model = _locked_or_new(session, job.request["model"], record["task"])
    if model.task != record["task"]:
        detail = f"Model {model.name!r} now holds versions for {model.task}; train again under another name."
        raise Conflict("model_task_differs", detail)
    last = session.scalar(select(func.max(ModelVersion.number)).where(ModelVersion.model_id == model.id))
    added = ModelVersion(
        model_id=model.id,
        number=(last or 0) + 1,
        architecture=record["architecture"],
        hyperparameters=record["hyperparameters"],
        dataset_name=job.request["dataset"],
        dataset_digest=record["dataset_digest"],
        metrics=record["metrics"],
        parity=record["parity"],
        signature=record["signature"],
        labels=record["labels"],
        onnx_sha256=onnx.sha256,
        onnx_size=onnx.size,
        record=record,
        job_id=job.id,
    )
    session.add(added)
    session.flush()
    return added


def _locked_or_new(session: Session, name: str, task: str) -> Model:
    """The model of this name, locked; it is made if there is none."""
    named = select(Model).where(Model.name == name).with_for_update(of=Model)
    if (model := session.scalar(named)) is not None:
        return model
    try:
        with session.begin_nested():
            session.add(Model(name=name, task=task))
    except IntegrityError:
        pass  # somebody made it at the same moment
    return session.scalars(named).one()


def set_alias(session: Session, name: str, alias: str, number: int) -> Model:
    """Point an alias at a version. Raises `NotFound` if there is no such version, `Invalid` for `latest`."""
    if alias == LATEST:
        raise Invalid.field("alias_reserved", ["path", "alias"], f"{LATEST} always names the newest version")
    session.execute(select(Model.id).where(Model.name == name).with_for_update())
    model = get(session, name)
    version(session, name, str(number))
    session.merge(ModelAlias(model_id=model.id, alias=alias, number=number))
    session.flush()
    session.refresh(model)
    return model


def delete_alias(session: Session, name: str, alias: str) -> None:
    """Remove an alias. Raises `NotFound`."""
    model = get(session, name)
    statement = delete(ModelAlias).where(ModelAlias.model_id == model.id, ModelAlias.alias == alias)
    if session.scalar(statement.returning(ModelAlias.alias)) is None:
        raise NotFound("alias_not_found", f"Model {name!r} has no alias {alias!r}.")
