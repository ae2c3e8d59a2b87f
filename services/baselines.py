"""The baselines that are stored of a data set: what its succeeded `baseline` jobs measured."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from services.catalogue import Catalogue
from services.tables import Dataset, Job, Json


def stored(session: Session, catalogue: Catalogue, manifest: Json, training: Json) -> list[Json]:
    """Those measured on this data, whatever its name, and on the rows that a train job with `training` holds out.

    Each is `{"job", "name", "family", "task", "metrics": {split: {metric: value}}}`; of one name the newest counts.
    """
    same_data = Dataset.manifest["digest"].as_string() == manifest["digest"]
    jobs = select(Job).where(
        Job.dataset_name.in_(select(Dataset.name).where(same_data)), Job.kind == "baseline", Job.state == "succeeded"
    )
    wanted = held_out(manifest, split_of(catalogue, training))
    found: dict[str, Json] = {}
    for job in session.scalars(jobs.order_by(Job.id)):
        result = job.result or {}
        if result["dataset_digest"] == manifest["digest"] and wanted == held_out(
            manifest, job.request["training"]["split"]
        ):
            found |= {entry["name"]: _brief(job, entry) for entry in result["baselines"] if entry["metrics"]}
    return list(found.values())


def split_of(catalogue: Catalogue, training: Json) -> Json:
    """A training request's `split`, defaults filled in."""
    default = catalogue.snapshot["training"]["properties"]["split"]["default"]
    return {**default, **(training.get("split") or {})}


def held_out(manifest: Json, split: Json) -> dict[str, Any]:
    """What decides which rows are held out of the data set's training rows: shares and seed, if any are."""
    missing = {"validation", "test"} - manifest["splits"].keys()
    shares = {name: split[name] for name in sorted(missing) if split[name]}
    return {**shares, "seed": split["seed"]} if shares else {}


def _brief(job: Job, entry: Json) -> Json:
    metrics = {
        split: {name: value for name, value in scores.items() if name != "intervals"}
        for split, scores in entry["metrics"].items()
    }
    known = {name: entry[name] for name in ("name", "family")}
    return {"job": job.id, "task": (job.result or {})["task"], **known, "metrics": metrics}
