"""A space as dimensions: each domain checked by itself, with its conditions, in an order that a sampler can follow."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.catalogue import Catalogue
from services.errors import Invalid
from services.preparation.spaces.fields import SAME_FOR_ALL, fields, kind, known
from services.requests.search import Domain, SearchRequest
from shapes.search import Condition, Dimension

ARCHITECTURE = "architecture"


def resolve(catalogue: Catalogue, request: SearchRequest, space: Mapping[str, Domain]) -> tuple[Dimension, ...]:
    """The dimensions of a space; conditions come after what they name.

    A hyperparameter that only some of several architectures have is a dimension where one of them is chosen. Raises
    `Invalid` naming the domain.
    """
    architectures = request.architectures
    dimensions = {path: _dimension(catalogue, architectures, path, domain) for path, domain in space.items()}
    if len(architectures) > 1:
        dimensions[ARCHITECTURE] = Dimension(path=ARCHITECTURE, kind="choice", choices=architectures)
    for path, domain in space.items():
        conditions = [
            _condition(dimensions, path, named, given) for named, given in domain.when.items()
        ] + _of_architectures(catalogue, architectures, path)
        dimensions[path] = dimensions[path].model_copy(update={"when": tuple(conditions)})
        _require_free(request, dimensions[path])
    return _ordered(dimensions)


def _dimension(catalogue: Catalogue, architectures: Sequence[str], path: str, domain: Domain) -> Dimension:
    """Without its conditions."""
    found = fields(catalogue, architectures, path)
    root, _, setting = path.partition(".")
    if root == "training" and setting.partition(".")[0] in SAME_FOR_ALL:
        msg = f"is the same for all trials, or they could not be compared; set it in {root}"
        raise Invalid.field("setting_not_searched", ["body", "space", path], msg)
    if not found:
        msg = f"unknown; there are {known(catalogue, architectures)}"
        raise Invalid.field("setting_unknown", ["body", "space", path], msg)
    if domain.choices is not None:
        return _of_choices(path, domain, domain.choices)
    if domain.low is None or domain.high is None:
        raise Invalid.field("domain_incomplete", ["body", "space", path], "give low and high, or choices")
    number = kind(found)
    if number is None:
        raise Invalid.field("not_a_number", ["body", "space", path], "is no number and has no range; give choices")
    _check_range(path, domain, domain.low, domain.high, whole=number == "int")
    return Dimension(path=path, kind=number, low=domain.low, high=domain.high, log=domain.log, step=domain.step)


def _of_choices(path: str, domain: Domain, choices: tuple[Any, ...]) -> Dimension:
    for name in ("low", "high", "step"):
        if getattr(domain, name) is not None:
            raise Invalid.field("domain_ambiguous", ["body", "space", path, name], "is for a range; choices have none")
    if domain.log:
        raise Invalid.field("domain_ambiguous", ["body", "space", path, "log"], "is for a range; choices have none")
    for place, value in enumerate(choices):
        if value in choices[:place]:
            raise Invalid.field("choice_twice", ["body", "space", path, "choices", place], "is there already")
    return Dimension(path=path, kind="choice", choices=choices)


def _check_range(path: str, domain: Domain, low: float, high: float, *, whole: bool) -> None:
    loc = ["body", "space", path]
    if low > high:
        raise Invalid.field("range_empty", [*loc, "low"], f"{low:g} is above high, which is {high:g}")
    if domain.log and low <= 0:
        raise Invalid.field("range_not_positive", [*loc, "low"], f"{low:g} must be above 0 on a logarithmic scale")
    if domain.log and domain.step is not None:
        raise Invalid.field("step_unsuitable", [*loc, "step"], "does not go with log; give choices, or one of the two")
    for name in ("low", "high", "step"):
        value = getattr(domain, name)
        if whole and value is not None and value % 1:
            raise Invalid.field("not_whole", [*loc, name], f"{value:g} must be a whole number, as {path} is")


def _condition(dimensions: Mapping[str, Dimension], path: str, named: str, given: Any) -> Condition:
    """What the domain at `path` says in `when` of the setting `named`: the value that it must have, or several."""
    loc = ["body", "space", path, "when", named]
    if named not in dimensions:
        msg = f"is not varied by this search, which varies {', '.join(dimensions)}"
        raise Invalid.field("condition_unknown", loc, msg)
    dimension = dimensions[named]
    values = given if isinstance(given, list) and given not in dimension.choices else [given]
    if not values:
        raise Invalid.field("condition_empty", loc, "names no value")
    for value in values:
        if not _is_possible(dimension, value):
            raise Invalid.field("condition_never_holds", loc, f"{value!r} is no value of {named}")
    return Condition(path=named, values=tuple(values))


def _is_possible(dimension: Dimension, value: Any) -> bool:
    """Whether it is one of the values; of any number between two bounds hardly ever the same one comes again."""
    if dimension.kind == "choice":
        return value in dimension.choices
    if isinstance(value, bool) or not isinstance(value, int | float) or dimension.spacing is None:
        return False
    low, high = dimension.low or 0.0, dimension.high or 0.0
    return low <= value <= high and dimension.value(round((value - low) / dimension.spacing)) == value


def _of_architectures(catalogue: Catalogue, architectures: Sequence[str], path: str) -> list[Condition]:
    having = tuple(name for name in architectures if fields(catalogue, (name,), path))
    return [] if having == tuple(architectures) else [Condition(path=ARCHITECTURE, values=having)]


def _require_free(request: SearchRequest, dimension: Dimension) -> None:
    """What is always varied is not fixed as well."""
    if dimension.when:
        return
    place: Any = {"hyperparameters": request.hyperparameters, "training": request.training}
    for name in dimension.path.split("."):
        if not isinstance(place, dict) or name not in place:
            return
        place = place[name]
    msg = f"is fixed by {dimension.path} as well; leave it out of one of the two"
    raise Invalid.field("setting_fixed", ["body", "space", dimension.path], msg)


def _ordered(dimensions: Mapping[str, Dimension]) -> tuple[Dimension, ...]:
    """The architecture first; then as they were given, but for what has to wait for what its conditions name."""
    waiting = sorted(dimensions.values(), key=lambda dimension: dimension.path != ARCHITECTURE)
    placed: dict[str, Dimension] = {}
    while waiting:
        ready = next((each for each in waiting if all(condition.path in placed for condition in each.when)), None)
        if ready is None:
            circle = ", ".join(each.path for each in waiting)
            msg = f"these are conditions of each other: {circle}"
            raise Invalid.field("conditions_circular", ["body", "space", waiting[0].path, "when"], msg)
        waiting.remove(ready)
        placed[ready.path] = ready
    return tuple(placed.values())
