"""Models, their versions and what they predict."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.schemas.base import Json, Schema, utc
from api.schemas.jobs import JobOut
from services.artifacts import StoredFile
from services.tables import Job, Model, ModelVariant, ModelVersion


class VersionSummary(Schema):
    """A version in its model's list."""

    version: int
    architecture: str | None
    metrics: Json
    variants: list[str]
    default_variant: str | None
    created_at: datetime

    @classmethod
    def of(cls, version: ModelVersion) -> "VersionSummary":
        """The answer for a row."""
        return cls(
            version=version.number,
            architecture=version.architecture,
            metrics=version.metrics,
            variants=[variant.name for variant in version.variants],
            default_variant=version.default_variant,
            created_at=utc(version.created_at),
        )


class TrafficOut(Schema):
    """How requests that name no version are shared: weights by version number, which add up to 1."""

    weights: dict[str, float]
    shadow: int | None


class ModelOut(Schema):
    """A model: its versions, aliases and traffic, and the labels and metrics of the latest version."""

    name: str
    task: str
    labels: list[str] | None
    metrics: Json | None
    versions: list[VersionSummary]
    aliases: dict[str, int]
    traffic: TrafficOut | None
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
            traffic=None if model.traffic is None else TrafficOut(**model.traffic),
            created_at=utc(model.created_at),
            links={"self": itself, "predict": f"{itself}/predict", "latest": f"{itself}/versions/latest"},
        )


class DatasetReference(Schema):
    """What a version was trained on."""

    name: str
    digest: str
    split: Json | None

    @classmethod
    def of(cls, version: ModelVersion) -> "DatasetReference | None":
        """The answer for a version's row; None for a file of the user's own."""
        if version.dataset_name is None or version.dataset_digest is None:
            return None
        return cls(name=version.dataset_name, digest=version.dataset_digest, split=version.record.get("split"))


class VariantOut(Schema):
    """A smaller or faster file of a version, and the report on which it was accepted."""

    name: str
    report: Json
    size: int
    sha256: str
    href: str
    job_id: str
    created_at: datetime

    @classmethod
    def of(cls, itself: str, variant: ModelVariant) -> "VariantOut":
        """The answer for a row of the version whose path is `itself`."""
        return cls(
            name=variant.name,
            report=variant.report,
            size=variant.onnx_size,
            sha256=variant.onnx_sha256,
            href=f"{itself}/onnx?variant={variant.name}",
            job_id=variant.job_id,
            created_at=utc(variant.created_at),
        )


def _graphs(itself: str, record: Json, files: Mapping[str, StoredFile]) -> dict[str, Json]:
    """What the record says of each graph, and where its file is."""
    return {
        name: {
            **record.get("graphs", {}).get(name, {}),
            "sha256": file.sha256,
            "size": file.size,
            "href": f"{itself}/onnx?graph={name}",
        }
        for name, file in files.items()
    }


class VersionOut(Schema):
    """One version: how it came to be, how good it is, what it takes and gives.

    A file of the user's own has no architecture and no data set.
    """

    model: str
    version: int
    task: str
    architecture: str | None
    hyperparameters: Json
    training: Json
    dataset: DatasetReference | None
    metrics: Json
    calibration: Json | None
    parity: Json
    signature: Json
    labels: list[str] | None
    parameters: int | None
    opset: int | None
    onnx: Json
    graphs: dict[str, Json] = Field(description="By name: `inputs`, `outputs`, `parity` and where the file is.")
    generative: Json | None = Field(
        description="Of versions that code or generate: `code`, `prior`, `classes`, `sample`, `calls`, `anomaly`."
    )
    variants: list[VariantOut]
    default_variant: str | None
    job_id: str
    created_at: datetime
    links: dict[str, str]

    @classmethod
    def of(cls, name: str, version: ModelVersion, files: Mapping[str, StoredFile]) -> "VersionOut":
        """The answer for a row of the model `name`; `files` are those of its graphs, by their names."""
        record = version.record
        itself = f"/v1/models/{name}/versions/{version.number}"
        generative = record.get("generative")
        calls = (generative or {}).get("calls", ())
        return cls(
            model=name,
            version=version.number,
            task=version.signature["task"],
            architecture=version.architecture,
            hyperparameters=version.hyperparameters,
            training=record.get("training", {}),
            dataset=DatasetReference.of(version),
            metrics=version.metrics,
            calibration=record.get("calibration"),
            parity=version.parity,
            signature=version.signature,
            labels=version.labels,
            parameters=record.get("parameters"),
            opset=record.get("opset"),
            onnx={"sha256": version.onnx_sha256, "size": version.onnx_size, "href": f"{itself}/onnx"},
            graphs=_graphs(itself, record, files),
            generative=generative,
            variants=[VariantOut.of(itself, variant) for variant in version.variants],
            default_variant=version.default_variant,
            job_id=version.job_id,
            created_at=utc(version.created_at),
            links={
                "self": itself,
                "onnx": f"{itself}/onnx",
                "job": f"/v1/jobs/{version.job_id}",
                **{call: f"/v1/models/{name}/{call}?version={version.number}" for call in calls},
            },
        )


class RegistrationOut(Schema):
    """The model that an uploaded file becomes a version of, and the job that examines the file."""

    name: str
    job: JobOut
    links: dict[str, str]

    @classmethod
    def of(cls, name: str, job: Job) -> "RegistrationOut":
        """The answer for a job."""
        return cls(name=name, job=JobOut.of(job), links={"self": f"/v1/models/{name}", "job": f"/v1/jobs/{job.id}"})


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


class Segmented(Schema):
    """The mask of one image, of the image's own size, and the share of its pixels that each class has, by label."""

    mask: Annotated[
        str, Field(description="A PNG file in base64: a palette image whose values are the indices of the classes.")
    ]
    width: int
    height: int
    shares: dict[str, float]


class Span(Schema):
    """A part of a text and its label. The places count characters of the text in Unicode's composed form (NFC)."""

    text: str
    label: str
    start: int
    end: int


class TaggedToken(Span):
    """A word or other sign, its most probable label and how probable that is."""

    probability: float


class Tagged(Schema):
    """The tokens of one text, and the entities that their labels mark, if they are such as B-person and I-person.

    Words that were given are counted as if they stood with single blanks between them.
    """

    tokens: list[TaggedToken]
    entities: list[Span] | None = None


class Reconstructed(Schema):
    """What is left of one input when it has been coded and decoded, and how unusual the input is."""

    image: str | None = Field(None, description="A PNG file in base64.")
    row: Json | list[float] | None = None
    error: float
    score: float


class Translated(Schema):
    """The text that was written for one input."""

    text: str
    score: float = Field(description="The mean logarithm of its tokens' probabilities, the end's included.")


class Forecast(Schema):
    """What is forecast behind one series: a number for each step, and for each quantile, by its level, as many."""

    forecast: list[float]
    quantiles: dict[str, list[float]] | None = None


class TextProbability(Schema):
    """How probable one text is: the natural logarithm, of how many tokens, the end included, and their perplexity."""

    log_probability: float
    tokens: int
    perplexity: float


class PredictionsOut(Schema):
    """One prediction an input, in their order."""

    model: str
    version: int
    predictions: (
        list[Classified]
        | list[Estimated]
        | list[Segmented]
        | list[Tagged]
        | list[Translated]
        | list[Reconstructed]
        | list[Forecast]
        | list[TextProbability]
    ) = Field(
        description="Classes; values for regression; masks for segmentation; tagged tokens; texts; reconstructions; "
        "forecasts; probabilities of texts."
    )
