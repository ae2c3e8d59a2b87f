"""The register of architectures: one file under `models/architectures/` each, registered by a decorator.

    @register(title="LeNet-5", paper="LeCun et al. 1998", unit="II", tasks=("classification",), ...)
    class LeNet(nn.Module):
        class Config(ArchitectureConfig):
            dropout: float = Field(0.0, ge=0.0, le=0.9, json_schema_extra=search(low=0.0, high=0.5))

        def __init__(self, config: Config, input_shape: Shape, num_outputs: int) -> None: ...

The file's name is the architecture's name. A Config builds its network:
`LeNet.Config(dropout=0.1).build((1, 28, 28), 10)` is a LeNet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

import models.architectures
from models.errors import InvalidHyperparameters, UnknownName, UnsuitableInput, faults
from shapes.requirements import Subject
from shapes.tokens import Given, Unit

if TYPE_CHECKING:
    from torch import nn

    from models.losses import LossOptions
    from models.training.optimizers import OptimizerOptions

Shape = tuple[int, ...]
"""The shape of one preprocessed input: (channels, height, width) of an image, (features,) of a table row; of a text
(tokens,), how many different ones there are; of a series (steps, features), with 0 steps where they vary."""

Module = TypeVar("Module", bound="type[nn.Module]")


class TokenOptions(NamedTuple):
    """How a text is made tokens: by which unit, how many of the most frequent ones are known, and how many are read.

    Of words as they are given there is no unit to choose. `spelling` is how many characters of each unit are read.
    """

    unit: Unit | Given
    vocabulary: int
    max_length: int
    spelling: int = 0


class WindowOptions(NamedTuple):
    """How series are made windows: how many steps are seen, how many forecast, and when a season comes again."""

    context: int
    horizon: int
    season: int | None
    """None where the spacing of the times says so."""


class ArchitectureConfig(BaseModel):
    """Hyperparameters of an architecture: bounds in the fields, search ranges by `search`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    owner: ClassVar["Architecture"]

    @property
    def needs_classes(self) -> bool:
        """Whether the network is told the class of each row, beside its input."""
        return False

    @property
    def tokens(self) -> TokenOptions | None:
        """How a text is made tokens, of an architecture that takes text."""
        return None

    @property
    def written(self) -> TokenOptions | None:
        """How a target is made tokens, of an architecture that writes text."""
        return None

    @property
    def windows(self) -> WindowOptions | None:
        """How series are made windows, of an architecture that forecasts."""
        return None

    def build(self, input_shape: Shape, num_outputs: int) -> "nn.Module":
        """The network of these hyperparameters, with freshly drawn weights.

        Raises:
            UnsuitableInput: the network cannot take inputs of this shape.
        """
        self.owner.require_suitable(input_shape)
        return self.owner.module(self, input_shape, num_outputs)


@dataclass(frozen=True)
class Reference:
    """A configuration whose number of parameters is published or can be counted by hand."""

    name: str
    hyperparameters: Mapping[str, Any]
    input: Shape
    classes: int
    """Size of the output: classes, or 1 for a regression."""
    parameters: int


@dataclass(frozen=True)
class Architecture:
    """A registered architecture."""

    name: str
    title: str
    paper: str
    unit: str
    tasks: tuple[str, ...]
    modality: tuple[str, ...]
    smallest_side: int
    """The fewest pixels that an image may have along each side."""
    references: tuple[Reference, ...]
    module: "type[nn.Module]"
    config: type[ArchitectureConfig]
    loss: "LossOptions | None"
    """What it is trained by where a request names no loss; None for the task's own."""
    optimizer: "OptimizerOptions | None"
    """What trains it where a request names no optimiser; None for the settings' own default."""
    has_validation_loss: bool
    """Whether held-out rows have a loss, by which the best epoch is chosen; if not, the last one is."""

    @property
    def training(self) -> dict[str, Any]:
        """What a train request's `training` is where it says nothing else."""
        return {} if self.optimizer is None else {"optimizer": self.optimizer}

    def require_suitable(self, input_shape: Shape) -> None:
        """Raise `UnsuitableInput` if the architecture takes no inputs of this shape, whatever its configuration."""
        if input_shape[0] == 0 and "text" not in self.modality:
            raise UnsuitableInput(
                f"{self.name} takes inputs of one size and these are series of any length; choose lstm or gru."
            )
        if self.modality == ("image",) and len(input_shape) != 3:
            raise UnsuitableInput(
                f"{self.name} takes images (channels, height, width), not inputs of shape {input_shape}."
            )
        if len(input_shape) == 3 and min(input_shape[1:]) < self.smallest_side:
            _, height, width = input_shape
            raise UnsuitableInput(
                f"{self.name} takes images of at least {self.smallest_side}×{self.smallest_side} pixels; these are "
                f"{height}×{width}. Upload them with a larger `image_size` or choose another architecture."
            )

    def configure(self, hyperparameters: Mapping[str, Any]) -> ArchitectureConfig:
        """The Config of these hyperparameters, defaults filled in.

        Raises:
            InvalidHyperparameters: an unknown name or a value out of bounds; the message names each.
        """
        try:
            return self.config.model_validate(dict(hyperparameters))
        except ValidationError as error:
            raise InvalidHyperparameters(faults("hyperparameters", error)) from error


_architectures: dict[str, Architecture] = {}


def search(
    *,
    low: float | None = None,
    high: float | None = None,
    log: bool = False,
    choices: list[Any] | None = None,
    about: Subject | None = None,
) -> dict[str, Any]:
    """The range in which a hyperparameter search looks, for a field's `json_schema_extra`.

    Either `low` and `high` (with `log` for a logarithmic scale), or `choices`. `about` names the data without which the
    field says nothing, and is not searched.
    """
    domain = {"low": low, "high": high, **({"log": True} if log else {})} if choices is None else {"choices": choices}
    return {"search": domain} | ({} if about is None else {"about": about})


def register(
    *,
    title: str,
    paper: str,
    unit: str,
    tasks: tuple[str, ...],
    modality: tuple[str, ...],
    references: tuple[Reference, ...],
    smallest_side: int = 1,
    loss: "LossOptions | None" = None,
    optimizer: "OptimizerOptions | None" = None,
    has_validation_loss: bool = True,
) -> Callable[[Module], Module]:
    """Register the decorated network under the name of its file.

    `smallest_side`, in pixels, is what an image needs along each side for the default hyperparameters. `loss` and
    `optimizer` are for an architecture that is trained by others than the usual ones. Without `has_validation_loss`
    nothing can be made to depend on one.

    Raises:
        ValueError: the name is taken.
    """

    def decorate(module: Module) -> Module:
        name = module.__module__.rpartition(".")[2]
        if name in _architectures:
            raise ValueError(f"the architecture {name!r} is registered twice")
        config: type[ArchitectureConfig] = module.__dict__["Config"]
        architecture = Architecture(
            name,
            title,
            paper,
            unit,
            tasks,
            modality,
            smallest_side,
            references,
            module,
            config,
            loss,
            optimizer,
            has_validation_loss,
        )
        config.owner = _architectures[name] = architecture
        return module

    return decorate


def names() -> list[str]:
    """Every architecture's name, in alphabetical order. Imports none of them."""
    return sorted(module.name for module in iter_modules(models.architectures.__path__))


def get(name: str) -> Architecture:
    """The architecture of this name; only its own file is imported.

    Raises:
        UnknownName: there is no such architecture.
    """
    if name not in names():
        raise UnknownName("architecture", name, names())
    import_module(f"models.architectures.{name}")
    return _architectures[name]


def architectures() -> list[Architecture]:
    """Every architecture, in the order of `names`."""
    return [get(name) for name in names()]
