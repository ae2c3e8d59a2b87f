"""The database tables.

Times are seconds since 1970 by the database's clock. Ids are UUIDv7, so that they sort by creation.
"""

from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, ForeignKeyConstraint, Index, MetaData, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from uuid6 import uuid7

from services.database import now

Json = dict[str, Any]
Points = list[list[float]]
TERMINAL = frozenset({"succeeded", "failed", "cancelled"})


def new_id() -> str:
    """A UUIDv7 (RFC 9562) as text."""
    return str(uuid7())


class Table(DeclarativeBase):
    """Base of all tables; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {each: JSON(none_as_null=True) for each in (Json, Points, list[str])}


class Dataset(Table):
    """A named, immutable data set; its arrays lie in a directory named by their digest."""

    __tablename__ = "datasets"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    format: Mapped[str]
    builtin: Mapped[bool] = mapped_column(default=False)
    manifest: Mapped[Json | None]
    job_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[float] = mapped_column(default=now())
    job: Mapped["Job | None"] = relationship(lazy="joined")

    @property
    def state(self) -> str:
        """`ready` once there is a manifest; until then what its ingest job makes of it."""
        if self.manifest is not None:
            return "ready"
        return "failed" if self.job is None or self.job.is_over else "ingesting"

    @property
    def error(self) -> Json | None:
        """Why a failed data set failed."""
        if self.state != "failed":
            return None
        cancelled = {"code": "cancelled", "detail": "The ingest job was cancelled."}
        return (self.job.error if self.job else None) or cancelled


class Job(Table):
    """One unit of asynchronous work. `state` is also the wish: a worker that reads `cancelling` obeys it."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_state_queue_queued_at_id", "state", "queue", "queued_at", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    parent_id: Mapped[str | None] = mapped_column(ForeignKey("jobs.id"), index=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="queued")
    queue: Mapped[str]
    request: Mapped[Json]
    dataset_name: Mapped[str | None] = mapped_column(index=True)
    model_name: Mapped[str | None] = mapped_column(index=True)
    result: Mapped[Json | None]
    error: Mapped[Json | None]

    idempotency_key: Mapped[str | None] = mapped_column(unique=True)
    request_digest: Mapped[str | None]

    attempt: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None]
    lease_expires_at: Mapped[float | None] = mapped_column(index=True)
    worker: Mapped[str | None]
    last_event: Mapped[int] = mapped_column(default=0)

    fraction: Mapped[float] = mapped_column(default=0.0)
    epoch: Mapped[int | None]
    step: Mapped[int | None]
    eta_seconds: Mapped[float | None]

    created_at: Mapped[float] = mapped_column(default=now())
    queued_at: Mapped[float] = mapped_column(default=now())
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]

    @property
    def is_over(self) -> bool:
        """Whether the job has reached its end."""
        return self.state in TERMINAL


class Trial(Table):
    """What one trial of a search was given and what came of it, beside the job that runs it."""

    __tablename__ = "trials"
    __table_args__ = (UniqueConstraint("search_id", "number"),)

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    search_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    number: Mapped[int]
    """Counted from 0 within its search."""
    parameters: Mapped[Json | None]
    """Values by path, from when its process has asked the sampler; kept for every later attempt."""
    values: Mapped[Json | None]
    """What was measured, by metric."""
    intermediate: Mapped[Points] = mapped_column(default=list)
    """Steps and values of the first objective, by which it may be pruned."""
    attributes: Mapped[Json] = mapped_column(default=dict)
    """What the sampler keeps with it."""
    pruned: Mapped[bool] = mapped_column(default=False)
    job: Mapped[Job] = relationship(foreign_keys=job_id, lazy="joined", innerjoin=True)


class JobEvent(Table):
    """One line of a job's append-only log: `state`, `progress`, `metric`, `log`, `artifact`; numbered from 1."""

    __tablename__ = "job_events"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    type: Mapped[str]
    data: Mapped[Json]
    at: Mapped[float] = mapped_column(default=now())


class JobArtifact(Table):
    """A file that a job produced, kept in the artifact store under its SHA-256."""

    __tablename__ = "job_artifacts"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str]
    created_at: Mapped[float] = mapped_column(default=now())


class Model(Table):
    """A named model and its versions.

    `revision` grows with every change that a gateway must know to serve the model, so that one small read tells
    whether what it remembers still holds.
    """

    __tablename__ = "models"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    task: Mapped[str]
    revision: Mapped[int] = mapped_column(default=0)
    served: Mapped[bool] = mapped_column(default=True)
    traffic: Mapped[Json | None]
    created_at: Mapped[float] = mapped_column(default=now())
    versions: Mapped[list["ModelVersion"]] = relationship(
        order_by="ModelVersion.number", back_populates="model", lazy="selectin"
    )
    aliases: Mapped[list["ModelAlias"]] = relationship(
        order_by="ModelAlias.alias", lazy="selectin", cascade="all, delete-orphan"
    )


class ModelVersion(Table):
    """An immutable network: its ONNX file and how it came to be.

    Only `default_variant` can change: which of its variants is served when a request names none; None: the
    file itself. What was registered as a file of the user's own has no architecture and no data set.
    """

    __tablename__ = "model_versions"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    architecture: Mapped[str | None]
    hyperparameters: Mapped[Json]
    dataset_name: Mapped[str | None]
    dataset_digest: Mapped[str | None]
    metrics: Mapped[Json]
    parity: Mapped[Json]
    signature: Mapped[Json]
    labels: Mapped[list[str] | None]
    onnx_sha256: Mapped[str] = mapped_column(index=True)
    onnx_size: Mapped[int] = mapped_column(BigInteger)
    record: Mapped[Json]
    default_variant: Mapped[str | None]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), unique=True)
    created_at: Mapped[float] = mapped_column(default=now())
    model: Mapped[Model] = relationship(back_populates="versions")
    variants: Mapped[list["ModelVariant"]] = relationship(order_by="ModelVariant.name", lazy="selectin")


class ModelVariant(Table):
    """A smaller or faster file for a version, such as `int8`, with the report on which it was accepted."""

    __tablename__ = "model_variants"
    __table_args__ = (
        ForeignKeyConstraint(["model_id", "number"], ["model_versions.model_id", "model_versions.number"]),
    )

    model_id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(primary_key=True)
    onnx_sha256: Mapped[str] = mapped_column(index=True)
    onnx_size: Mapped[int] = mapped_column(BigInteger)
    report: Mapped[Json]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[float] = mapped_column(default=now())


class ModelAlias(Table):
    """A name for one version of a model, such as `production`."""

    __tablename__ = "model_aliases"

    model_id: Mapped[str] = mapped_column(ForeignKey("models.id"), primary_key=True)
    alias: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class Worker(Table):
    """A worker process seen lately."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    queues: Mapped[list[str]]
    devices: Mapped[list[str]]
    slots: Mapped[int]
    busy: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[float] = mapped_column(default=now())
    seen_at: Mapped[float] = mapped_column(default=now())
