"""Models, their versions and what they predict."""

from datetime import datetime

from pydantic import Field

from api.schemas.base import Json, Schema, utc
from services.tables import Model, ModelVersion


class VersionSummary(Schema):
    """A version in its model's list."""

    version: int
    architecture: str
    metrics: Json
    created_at: datetime

    @classmethod
    def of(cls, version: ModelVersion) -> "VersionSummary":
        """The answer for a row."""
        return cls(
            version=version.number,
            architecture=version.architecture,
            metrics=version.metrics,
            created_at=utc(version.created_at),
        )


class ModelOut(Schema):
    """A model: its versions, aliases, and the labels and metrics of the latest version."""

    name: str
    task: str
    labels: list[str] | None
    metrics: Json | None
    versions: list[VersionSummary]
    aliases: dict[str, int]
    created_at: datetime
    links: dict[str, str]

    @classmethod
    def of(cls, model: Model) -> "ModelOut":
        """The answer for a row with its versions and aliases."""
        latest = model.versions[-1] if model.versions else None
        itself = f"/v1/models/{model.name}"
        return cls(
            name=model.name,
            task=model.task,
            labels=latest.labels if latest else None,
            metrics=latest.metrics if latest else None,
            versions=[VersionSummary.of(version) for version in model.versions],
            aliases={alias.alias: alias.number for alias in model.aliases},
            created_at=utc(model.created_at),
            links={"self": itself, "predict": f"{itself}/predict", "latest": f"{itself}/versions/latest"},
        )


class DatasetReference(Schema):
    """What a version was trained on."""

    name: str
    digest: str
    split: Json | None


class VersionOut(Schema):
    """One version: how it came to be, how good it is, what it takes and gives."""

    model: str
    version: int
    task: str
    architecture: str
    hyperparameters: Json
    training: Json
    dataset: DatasetReference
    metrics: Json
    parity: Json
    signature: Json
    labels: list[str] | None
    parameters: int | None
    opset: int | None
    onnx: Json
    job_id: str
    created_at: datetime
    links: dict[str, str]

    @classmethod
    def of(cls, name: str, version: ModelVersion) -> "VersionOut":
        """The answer for a row of the model `name`."""
        record = version.record
        itself = f"/v1/models/{name}/versions/{version.number}"
        return cls(
            model=name,
            version=version.number,
            task=version.signature["task"],
            architecture=version.architecture,
            hyperparameters=version.hyperparameters,
            training=record.get("training", {}),
            dataset=DatasetReference(
                name=version.dataset_name, digest=version.dataset_digest, split=record.get("split")
            ),
            metrics=version.metrics,
            parity=version.parity,
            signature=version.signature,
            labels=version.labels,
            parameters=record.get("parameters"),
            opset=record.get("opset"),
            onnx={"sha256": version.onnx_sha256, "size": version.onnx_size, "href": f"{itself}/onnx"},
            job_id=version.job_id,
            created_at=utc(version.created_at),
            links={"self": itself, "onnx": f"{itself}/onnx", "job": f"/v1/jobs/{version.job_id}"},
        )


class LabelProbability(Schema):
    """A class and how probable it is."""

    label: str
    probability: float


class Classified(Schema):
    """The most probable class of one input, and the `top_k` most probable ones."""

    label: str
    index: int
    probability: float
    top_k: list[LabelProbability]


class Estimated(Schema):
    """The value estimated for one input, in the target's unit."""

    value: float


class PredictionsOut(Schema):
    """One prediction an input, in their order."""

    model: str
    version: int
    predictions: list[Classified] | list[Estimated] = Field(description="Classes, or values for regression.")
