"""The model registry: models, their versions and aliases."""

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from services.artifacts import StoredFile
from services.errors import Conflict, Invalid, NotFound
from services.pages import Page, newest_first
from services.tables import Job, JobArtifact, Json, Model, ModelAlias, ModelVariant, ModelVersion

LATEST = "latest"
MAIN = "model"
"""The name of a version's main graph; of others: `encoder`, `decoder`."""


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
    """Add the next version of the model that a job names, within the job's own transaction.

    Raises `Conflict` if the model has meanwhile come to hold versions for another task.
    """
    model = _locked_or_new(session, job.request["model"], record["task"])
    if model.task != record["task"]:
        detail = f"Model {model.name!r} holds versions for {model.task}, not {record['task']}; choose another name."
        raise Conflict("model_task_differs", detail)
    last = session.scalar(select(func.max(ModelVersion.number)).where(ModelVersion.model_id == model.id))
    added = ModelVersion(
        model_id=model.id,
        number=(last or 0) + 1,
        architecture=record["architecture"],
        hyperparameters=record["hyperparameters"],
        dataset_name=job.request.get("dataset"),
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
    _touch(model)
    session.flush()
    return added


def weights(session: Session, version: ModelVersion) -> str | None:
    """The SHA-256 of the weights that a version's train job left; None of a version that no training made."""
    artifact = session.get(JobArtifact, (version.job_id, "weights.safetensors"))
    return None if artifact is None else artifact.sha256


def graphs(session: Session, versions: Sequence[ModelVersion]) -> dict[int, dict[str, StoredFile]]:
    """The files of each version's graphs, by the version's number and the graph's name.

    The main one is the version's own file; the others are files that its job has left.
    """
    found = {version.number: {MAIN: StoredFile(version.onnx_sha256, version.onnx_size)} for version in versions}
    others = {
        (version.job_id, f"{name}.onnx"): (version.number, name)
        for version in versions
        for name in version.record.get("graphs", ())
        if name != MAIN
    }
    if others:
        jobs, files = ({key[part] for key in others} for part in (0, 1))
        left = select(JobArtifact).where(JobArtifact.job_id.in_(jobs), JobArtifact.name.in_(files))
        for each in session.scalars(left.order_by(JobArtifact.name)):
            if (each.job_id, each.name) in others:
                number, name = others[each.job_id, each.name]
                found[number][name] = StoredFile(each.sha256, each.size)
    return found


def graph(session: Session, version: ModelVersion, name: str) -> StoredFile:
    """The file of one of a version's graphs. Raises `NotFound`."""
    files = graphs(session, [version])[version.number]
    if name not in files:
        known = ", ".join(files)
        detail = f"Version {version.number} of model {version.model.name!r} has no graph {name!r}; it has {known}."
        raise NotFound("graph_not_found", detail)
    return files[name]


def _touch(model: Model) -> None:
    """Let every gateway know that what it remembers of the model no longer holds."""
    model.revision = Model.revision + 1


def add_variants(session: Session, job: Job, variants: Sequence[Json], files: Mapping[str, StoredFile]) -> None:
    """Add what an optimize job made of a version, within the job's own transaction; a newer one replaces an older.

    A variant is `{"name", "file", "report"}`; `files` are the job's by name. Raises `NotFound`.
    """
    model = _locked(session, job.request["model"])
    number = version(session, model.name, str(job.request["version"])).number
    for each in variants:
        stored = files[each["file"]]
        row = ModelVariant(
            model_id=model.id,
            number=number,
            name=each["name"],
            onnx_sha256=stored.sha256,
            onnx_size=stored.size,
            report=each["report"],
            job_id=job.id,
        )
        session.merge(row)
    _touch(model)
    session.flush()


def variant(version: ModelVersion, name: str) -> ModelVariant:
    """One variant of a version. Raises `NotFound`."""
    for candidate in version.variants:
        if candidate.name == name:
            return candidate
    detail = f"Version {version.number} of model {version.model.name!r} has no variant {name!r}."
    raise NotFound("variant_not_found", detail)


def set_default_variant(session: Session, name: str, number: str, default: str | None) -> ModelVersion:
    """Choose the variant that is served when a request names none; None: the version's own file.

    Raises `NotFound` if the version or the variant does not exist.
    """
    found = version(session, name, number)
    if default is not None:
        variant(found, default)
    found.default_variant = default
    _touch(found.model)
    session.flush()
    return found


def set_traffic(session: Session, name: str, traffic: Json | None) -> Model:
    """Share requests that name no version between versions; None: all go to the latest.

    `traffic` is `{"weights": {"1": 0.9, "2": 0.1}, "shadow": 3}`; the weights are stored so that they add up to 1.
    Raises `NotFound` if a version does not exist, `Invalid` for a shadow that would be compared with itself alone.
    """
    model = _locked(session, name)
    if traffic is not None:
        if list(traffic["weights"]) == [str(traffic["shadow"])]:
            msg = "is the only version that answers; name another one to compare with it"
            raise Invalid.field("shadow_answers", ["body", "shadow"], msg)
        named = [*traffic["weights"], *([str(traffic["shadow"])] if traffic["shadow"] is not None else [])]
        for number in named:
            version(session, name, number)
        total = sum(traffic["weights"].values())
        weights = {number: weight / total for number, weight in traffic["weights"].items()}
        traffic = {**traffic, "weights": weights}
    model.traffic = traffic
    _touch(model)
    session.flush()
    return model


def set_served(session: Session, name: str, *, served: bool) -> Model:
    """Let gateways answer requests for a model, or not. Raises `NotFound`."""
    model = _locked(session, name)
    model.served = served
    _touch(model)
    session.flush()
    return model


def names(session: Session) -> list[str]:
    """The names of all models, in order."""
    return list(session.scalars(select(Model.name).order_by(Model.name)))


def revision(session: Session, name: str) -> int | None:
    """The model's revision; None if there is no such model."""
    return session.scalar(select(Model.revision).where(Model.name == name))


def _locked(session: Session, name: str) -> Model:
    session.execute(select(Model.id).where(Model.name == name).with_for_update())
    return get(session, name)


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
    model = _locked(session, name)
    version(session, name, str(number))
    session.merge(ModelAlias(model_id=model.id, alias=alias, number=number))
    _touch(model)
    session.flush()
    session.refresh(model)
    return model


def delete_alias(session: Session, name: str, alias: str) -> None:
    """Remove an alias. Raises `NotFound`."""
    model = get(session, name)
    statement = delete(ModelAlias).where(ModelAlias.model_id == model.id, ModelAlias.alias == alias)
    if session.scalar(statement.returning(ModelAlias.alias)) is None:
        raise NotFound("alias_not_found", f"Model {name!r} has no alias {alias!r}.")
    _touch(model)
