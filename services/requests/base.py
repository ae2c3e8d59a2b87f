"""What all requests share: they are read strictly, names and seeds look alike everywhere."""

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

Item = TypeVar("Item")
Items = Annotated[tuple[Item, ...], Strict(False)]
"""A list of JSON, kept as a tuple; the items themselves are taken strictly."""

RESERVED = frozenset({"stats"})
"""Names that the Open Inference Protocol has for other things than models (Triton's statistics extension)."""
Name = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="Letters, digits, `.`, `_` and `-`, at most 63, beginning with a letter or digit.",
    ),
]


def _not_reserved(name: str) -> str:
    if name in RESERVED:
        raise ValueError(f"is reserved: /v2/models/{name} answers something else; choose another name")
    return name


NewModel = Annotated[Name, AfterValidator(_not_reserved)]
"""The name of a model that a request may make."""
Task = Annotated[
    str | None,
    Field(
        max_length=63,
        description="Which of the architecture's tasks; null: the first of them that suits the data set.",
    ),
]
SplitName = Literal["train", "validation", "test"]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Request(BaseModel):
    """Base of all requests: unknown fields are refused, numbers are numbers and texts are texts."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, protected_namespaces=())
