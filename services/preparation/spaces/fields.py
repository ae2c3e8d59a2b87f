"""What the catalogue says of the setting at a path, such as `hyperparameters.dropout` or `training.l2`."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from services.catalogue import Catalogue, Entry

ROOTS = ("hyperparameters", "training")
SAME_FOR_ALL = ("device", "split")
"""Training settings that trials must share: on which rows they are measured, and where they are computed."""


class Field(NamedTuple):
    """The JSON Schema of a setting, and what its references name."""

    schema: Entry
    definitions: Entry

    def parts(self) -> Iterator["Field"]:
        """The schemas that it is a choice between; itself where it is none."""
        if "$ref" in self.schema:
            yield from Field(self.definitions[self.schema["$ref"].rpartition("/")[2]], self.definitions).parts()
            return
        choices = [*self.schema.get("anyOf", ()), *self.schema.get("oneOf", ())]
        for choice in choices:
            yield from Field(choice, self.definitions).parts()
        if not choices:
            yield self

    def member(self, name: str) -> Iterator["Field"]:
        """The schemas of a member of this name, in whichever of its parts is an object that has it."""
        for part in self.parts():
            if name in part.schema.get("properties", {}):
                yield Field(part.schema["properties"][name], self.definitions)


def fields(catalogue: Catalogue, architectures: Iterable[str], path: str) -> list[Field]:
    """The schemas of the setting at a path: one for each architecture or choice that has it, none if it is unknown."""
    root, *names = path.split(".")
    if root == "hyperparameters" and len(names) == 1:
        schemas = [catalogue.architectures[name]["hyperparameters"] for name in architectures]
        found = [Field(schema, schema.get("$defs", {})) for schema in schemas]
    elif root == "training" and names and names[0] not in SAME_FOR_ALL:
        training = catalogue.snapshot["training"]
        found = [Field(training, training["$defs"])]
    else:
        return []
    for name in names:
        found = [member for field in found for member in field.member(name)]
    return found


def kind(found: Sequence[Field]) -> Literal["int", "float"] | None:
    """Whether the setting is a number, and of which kind."""
    types = {part.schema.get("type") for field in found for part in field.parts()}
    return "float" if "number" in types else "int" if "integer" in types else None


def known(catalogue: Catalogue, architectures: Sequence[str]) -> str:
    """The settings that can be named, for a message."""
    hyperparameters = {
        name: None for each in architectures for name in catalogue.architectures[each]["hyperparameters"]["properties"]
    }
    training = [name for name in catalogue.snapshot["training"]["properties"] if name not in SAME_FOR_ALL]
    names = [f"hyperparameters.{name}" for name in hyperparameters] + [f"training.{name}" for name in training]
    return f"{', '.join(names)}, and their parts, such as training.optimizer.learning_rate"


def default(catalogue: Catalogue, architecture: str, setting: str) -> Any:
    """What a training setting is where a request says nothing of it."""
    own = catalogue.architectures[architecture].get("training", {})
    return own.get(setting, catalogue.snapshot["training"]["properties"][setting].get("default"))
