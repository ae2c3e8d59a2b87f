"""A list of layers taken from an input's shape to the outputs, step by step."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shapes.fitting import Misfit, Shape
from shapes.layers import AnyLayer, Layer, Skip

FORMAT = "layers"
"""JSON Schema's `format` of a hyperparameter that is a list of layers."""
MAX_LAYERS = 128
# VGG-16 at 224×224 has 138 million parameters and computes 29 million numbers for an image.
MAX_PARAMETERS = 150_000_000
MAX_ACTIVATIONS = 50_000_000

_LAYERS: TypeAdapter[tuple[AnyLayer, ...]] = TypeAdapter(tuple[AnyLayer, ...])


@dataclass(frozen=True)
class Step:
    """A layer where it stands; `source` is the place of the earlier layer that a skip connection joins to it."""

    layer: Layer
    input: Shape
    output: Shape
    parameters: int
    source: int | None = None


def walk(layers: Sequence[Layer], input_shape: Shape, num_outputs: int) -> list[Step]:
    """What each layer makes of an input, before the dense layer of `num_outputs` that ends every network.

    Raises:
        Misfit: a layer does not fit its input, a skip connection names no earlier layer, two layers have one name,
            or the network exceeds `MAX_PARAMETERS`, or `MAX_ACTIVATIONS` numbers computed for one input.
    """
    steps: list[Step] = []
    shape, parameters, activations = input_shape, 0, 0
    for place, layer in enumerate(layers):
        try:
            step = _step(layer, shape, steps)
            parameters += step.parameters
            activations += prod(step.output)
            _require_bounded(parameters, activations)
        except Misfit as misfit:
            misfit.layer = place
            raise
        steps.append(step)
        shape = step.output
    _require_bounded(parameters + output_parameters(shape, num_outputs), activations + num_outputs)
    return steps


def read(layers: object) -> tuple[Layer, ...]:
    """Layers from JSON. Raises `Misfit` naming the first wrong one."""
    try:
        return _LAYERS.validate_python(layers)
    except ValidationError as error:
        fault: Any = error.errors()[0]
        misfit = Misfit(fault["msg"])
        misfit.layer = next((part for part in fault["loc"] if isinstance(part, int)), None)
        raise misfit from error


def output_parameters(shape: Shape, num_outputs: int) -> int:
    """Parameters of the dense layer at the end."""
    return (prod(shape) + 1) * num_outputs


def _step(layer: Layer, shape: Shape, steps: list[Step]) -> Step:
    names = [step.layer.name for step in steps]
    if layer.name is not None and layer.name in names:
        raise Misfit(f"the name {layer.name!r} is that of layer {names.index(layer.name)}; names must differ")
    if not isinstance(layer, Skip):
        return Step(layer, shape, layer.output_shape(shape), layer.num_parameters(shape))
    source = _place(layer.source, names)
    return Step(layer, shape, layer.joined_shape(shape, steps[source].output), 0, source)


def _place(source: str | int, names: list[str | None]) -> int:
    """The place of the earlier layer that a skip connection means."""
    if isinstance(source, int) and source < len(names):
        return source
    if source in names:
        return names.index(str(source))
    known = ", ".join(name for name in names if name is not None)
    places = f"use a place below {len(names)}" if names else "there is none before it"
    raise Misfit(f"source {source!r} is no earlier layer; {places}" + (f" or a name: {known}" if known else ""))


def _require_bounded(parameters: int, activations: int) -> None:
    if parameters > MAX_PARAMETERS:
        raise Misfit(
            f"the network would then have {parameters:,} parameters and {MAX_PARAMETERS:,} are allowed; "
            "use fewer channels or units, or pool before a dense layer"
        )
    if activations > MAX_ACTIVATIONS:
        raise Misfit(
            f"the network would then compute {activations:,} numbers for one input and {MAX_ACTIVATIONS:,} "
            "are allowed; use fewer channels, a stride or pooling"
        )
