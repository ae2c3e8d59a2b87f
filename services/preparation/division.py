"""Whether a data set has enough rows, or its series enough steps, to be divided as a job would divide it."""

from services.baselines import split_of
from services.catalogue import Catalogue, Entry
from services.errors import Invalid
from services.requests.train import TrainRequest
from shapes import division


def check_rows(catalogue: Catalogue, training: Entry, manifest: Entry) -> None:
    """Raise `Invalid` for too few rows to hold out of them what the data set lacks. Of series see `check_steps`."""
    if manifest["task"] == "forecasting":
        return
    split, own = split_of(catalogue, training), manifest["splits"]
    try:
        division.sizes(own["train"]["count"], {name: split[name] for name in ("validation", "test") if name not in own})
    except division.Indivisible as error:
        raise Invalid.field("too_few_rows", ["body", "dataset"], str(error)) from None


def check_steps(catalogue: Catalogue, request: TrainRequest, manifest: Entry) -> None:
    """Raise `Invalid` for series to forecast in which a part has no steps, with as many before them as are seen."""
    if manifest["task"] != "forecasting":
        return
    known, given = catalogue.architectures[request.architecture]["hyperparameters"]["properties"], manifest["input"]
    context, horizon, season = (
        request.hyperparameters.get(name, known[name]["default"]) for name in ("context", "horizon", "season")
    )
    first = division.first_origin(context, season or division.season_of(given["time"]))
    lengths, split = [series["steps"] for series in given["series"]], split_of(catalogue, request.training)
    try:
        for part in division.in_time(split["validation"], split["test"]).values():
            division.origins(lengths, part, first, horizon)
    except division.Indivisible as error:
        raise Invalid.field("too_few_steps", ["body", "dataset"], str(error)) from None
