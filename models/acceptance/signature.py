"""What an accepted model takes and gives: its own signature if it was exported by Syllabus, else its tensors."""

from typing import Annotated, Any, Literal

from onnx import ModelProto
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.acceptance.trial import Tried
from models.inference import METADATA_KEY
from models.random_inputs import DTYPES, is_variable

Label = Annotated[str, Field(max_length=1000)]
Side = Annotated[int, Field(ge=1, le=4096)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Column(_Strict):
    name: Label
    kind: Literal["numeric", "categorical"]
    categories: list[Label] = []

    def is_consistent(self) -> bool:
        """Whether there are categories, each once, if there are to be any."""
        return len(set(self.categories)) == len(self.categories) and (self.kind == "categorical") == bool(
            self.categories
        )


class _Image(_Strict):
    name: str
    dtype: Literal["uint8"]
    shape: tuple[Literal[1, 3], Side, Side] = Field(strict=False)
    fit: Literal["crop", "stretch"] = "crop"
    fitted: bool = False


class _Rows(_Strict):
    name: str
    dtype: Literal["float32"]
    shape: tuple[Annotated[int, Field(ge=1)]] = Field(strict=False)
    columns: list[_Column]

    def is_consistent(self) -> bool:
        """Whether every number has a column of its own, and every category a number."""
        names = {column.name for column in self.columns}
        return len(names) == len(self.columns) == self.shape[0] and all(map(_Column.is_consistent, self.columns))


class _Output(_Strict):
    name: str
    dtype: Literal["float32"]
    shape: list[int]


class _Signature(_Strict):
    """As `models.versions.publication` writes it."""

    task: Literal["classification", "regression", "segmentation"]
    modality: Literal["image", "tabular"]
    input: _Image | _Rows
    output: _Output
    labels: list[Label] | None

    def is_consistent(self) -> bool:
        """Whether its parts fit each other."""
        if (self.modality == "image") != isinstance(self.input, _Image):
            return False
        if isinstance(self.input, _Rows) and not self.input.is_consistent():
            return False
        if self.labels is not None and len(set(self.labels)) < len(self.labels):
            return False
        if self.task == "classification":
            return self.labels is not None and self.output.shape == [len(self.labels)]
        if self.task == "segmentation":
            return self.labels is not None and self.output.shape == [len(self.labels), *self.input.shape[1:]]
        return self.labels is None and self.output.shape == []


def own_signature(model: ModelProto) -> str | None:
    """The signature in the file's metadata, unchecked; None if it does not claim to be of Syllabus."""
    return next((entry.value for entry in model.metadata_props if entry.key == METADATA_KEY), None)


def signature_of(own: str | None, tried: Tried) -> dict[str, Any]:
    """The file's own signature if it agrees with its graph, else one of tensors.

    Of the latter `inputs` and `outputs` list `name`, `dtype` and `shape`, the batch dimension included and -1
    for what varies. Both have `batchable`.
    """
    return _checked(own, tried) or {
        "task": "tensors",
        "modality": "tensors",
        "inputs": [_described(node) for node in tried.session.get_inputs()],
        "outputs": [
            _described(node, rank) for node, rank in zip(tried.session.get_outputs(), tried.ranks, strict=True)
        ],
        "labels": None,
        "batchable": tried.batchable,
    }


def _checked(text: str | None, tried: Tried) -> dict[str, Any] | None:
    if text is None or not tried.batchable:
        return None
    try:
        signature = _Signature.model_validate_json(text)
    except ValidationError:
        return None
    inputs, outputs = tried.session.get_inputs(), tried.session.get_outputs()
    agrees = len(inputs) == len(outputs) == 1 and all(
        (node.name, DTYPES[node.type]) == (given.name, given.dtype)
        and is_variable(node.shape[0])
        and list(node.shape[1:]) == list(given.shape)
        for node, given in ((inputs[0], signature.input), (outputs[0], signature.output))
    )
    if not agrees or not signature.is_consistent():
        return None
    return {**signature.model_dump(mode="json", exclude_unset=True), "batchable": True}


def _described(node: Any, rank: int | None = None) -> dict[str, Any]:
    shape = [-1 if is_variable(dimension) else dimension for dimension in node.shape]
    if rank is not None and rank != len(shape):
        shape = [-1] * rank
    return {"name": node.name, "dtype": DTYPES[node.type], "shape": shape}
