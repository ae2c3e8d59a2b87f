"""Requests and answers of the Open Inference Protocol and of Triton's extensions to it.

What a tensor must be is decided by the model: `services.serving.protocol` reads and writes inferences themselves.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.schemas.base import Schema

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
Parameters = dict[str, Any]
Size = Annotated[int, Field(ge=0)]


class ProtocolError(Schema):
    """What is wrong."""

    error: str


class ServerMetadata(Schema):
    """The server and the extensions of the protocol that it has."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(Schema):
    """Whether the server answers."""

    live: bool


class ServerReady(ServerLive):
    """Whether the server can infer."""

    ready: bool


class ModelReady(Schema):
    """Whether a model can answer."""

    name: str
    ready: bool


class TensorMetadata(Schema):
    """One tensor; a dimension that varies is -1."""

    name: str
    datatype: Datatype
    shape: list[int]


class ModelMetadata(Schema):
    """A model, the versions that can be asked for, and its tensors."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelConfiguration(Schema):
    """As Triton's `ModelConfig` message in JSON, with the fields that mean something here."""

    model_config = ConfigDict(extra="allow")

    name: str
    platform: str
    max_batch_size: int
    input: list[dict[str, Any]]
    output: list[dict[str, Any]]


class InputTensor(BaseModel):
    """An input: with `data`, or with the parameter `binary_data_size` and its bytes after the JSON."""

    name: str
    shape: list[Size]
    datatype: Datatype
    parameters: Parameters | None = None
    data: list[Any] | None = None


class RequestedOutput(BaseModel):
    """An output to answer with; in binary if its parameter `binary_data` is true."""

    name: str
    parameters: Parameters | None = None


class InferenceRequest(BaseModel):
    """The inputs of a model. The parameters `priority`, `timeout` (µs), `binary_data_output` and `variant` are read."""

    id: str | None = None
    parameters: Parameters | None = None
    inputs: list[InputTensor]
    outputs: list[RequestedOutput] | None = None


class OutputTensor(Schema):
    """An output: with `data`, or with the parameter `binary_data_size` and its bytes after the JSON."""

    name: str
    shape: list[int]
    datatype: Datatype
    parameters: Parameters | None = None
    data: list[Any] | None = None


class InferenceResponse(Schema):
    """The outputs of a model."""

    model_config = ConfigDict(protected_namespaces=())

    model_name: str
    model_version: str
    id: str | None = None
    outputs: list[OutputTensor]


class Duration(Schema):
    """How often, and how many nanoseconds altogether."""

    count: int
    ns: int


class BatchStatistics(Schema):
    """The runs of one batch size."""

    batch_size: int
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration


class InferenceStatistics(Schema):
    """Requests and the time that they took; a run counts once for each request in it. There is no cache."""

    success: Duration
    fail: Duration
    queue: Duration
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration
    cache_hit: Duration
    cache_miss: Duration


class ModelStatistics(Schema):
    """What a version has done since the gateway started; `last_inference` is in milliseconds since 1970."""

    name: str
    version: str
    last_inference: int
    inference_count: int
    execution_count: int
    inference_stats: InferenceStatistics
    batch_stats: list[BatchStatistics]


class Statistics(Schema):
    """One entry a version."""

    model_stats: list[ModelStatistics]


class IndexRequest(BaseModel):
    """Which models to list: all, or only those that are ready."""

    ready: bool | None = Field(None, strict=True)


class IndexEntry(Schema):
    """A version in the repository, its state, and why it is in that."""

    name: str
    version: str
    state: Literal["READY", "LOADING", "UNAVAILABLE"]
    reason: str


class LoadParameters(BaseModel):
    """None: a model is loaded as it was registered."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _refuse(cls, value: object) -> object:
        if isinstance(value, dict) and value:
            msg = "a model is loaded as it was registered and takes no parameters; register a new version to change it"
            raise PydanticCustomError("parameters_refused", msg)
        return value


class LoadRequest(BaseModel):
    """Load a model."""

    parameters: LoadParameters | None = None


class UnloadParameters(BaseModel):
    """No model depends on another, so that `unload_dependents` changes nothing."""

    model_config = ConfigDict(extra="forbid")

    unload_dependents: bool | None = Field(None, strict=True)


class UnloadRequest(BaseModel):
    """Unload a model."""

    parameters: UnloadParameters | None = None
