"""The space of a search that names none: the learning rate, and what the architectures declare."""

from collections.abc import Sequence

from services.catalogue import Catalogue, Entry
from services.preparation.spaces.fields import default, fields
from services.requests.search import Domain, SearchRequest
from shapes.requirements import searched

LEARNING_RATE = "training.optimizer.learning_rate"


def default_space(catalogue: Catalogue, request: SearchRequest, manifest: Entry, *, writes: bool) -> dict[str, Domain]:
    """Domains by path. What the request fixes is left as it is, and so is what says nothing of such data.

    Of a hyperparameter that several architectures have, the values on which they agree; none if there are no two.
    `writes` says that texts are to be written.
    """
    entries = [catalogue.architectures[name] for name in request.architectures]
    names = dict.fromkeys(name for entry in entries for name in entry["hyperparameters"]["properties"])
    paths = [f"hyperparameters.{name}" for name in names if name not in request.hyperparameters]
    found = {}
    for path in paths:
        declared = (
            searched(each.schema, manifest, writes=writes) for each in fields(catalogue, request.architectures, path)
        )
        found[path] = common([domain for domain in declared if domain is not None])
    optimizer = request.training.get("optimizer") or {}
    if "learning_rate" not in optimizer:
        chosen = {
            optimizer.get("name") or default(catalogue, name, "optimizer")["name"] for name in request.architectures
        }
        found[LEARNING_RATE] = common([_learning_rates(catalogue, name) for name in sorted(chosen)])
    return {path: Domain(**domain) for path, domain in found.items() if domain is not None}


def common(declared: Sequence[Entry]) -> Entry | None:
    """What ranges or lists of choices have in common, if it is more than one value."""
    if not declared:
        return None
    if all("choices" in each for each in declared):
        choices = [value for value in declared[0]["choices"] if all(value in each["choices"] for each in declared)]
        return {"choices": choices} if len(choices) > 1 else None
    if any("choices" in each for each in declared):
        return None
    low, high = max(each["low"] for each in declared), min(each["high"] for each in declared)
    log = all(each.get("log", False) for each in declared)
    return {"low": float(low), "high": float(high), "log": log} if low < high else None


def _learning_rates(catalogue: Catalogue, optimizer: str) -> Entry:
    """The range that an optimizer declares."""
    for option in fields(catalogue, (), "training.optimizer")[0].parts():
        if option.schema["properties"]["name"]["const"] == optimizer:
            return dict(option.schema["properties"]["learning_rate"]["search"])
    raise LookupError(optimizer)
