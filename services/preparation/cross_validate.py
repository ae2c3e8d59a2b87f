"""Of `cross_validate`."""

from math import comb

from sqlalchemy.orm import Session

from services.errors import Invalid
from services.preparation.fits import TASKS, Subject
from services.requests.fits import CrossValidateRequest
from services.resources import Resources
from services.tables import Job


def prepare(session: Session, resources: Resources, request: CrossValidateRequest) -> Job:
    """The number of folds follows from the data set's manifest, and is bounded."""
    subject = Subject.of(session, resources, request, (*TASKS, "tagging", "translation", "forecasting"))
    rows = subject.rows
    _require_order(request.method, subject.manifest["task"])
    if request.method == "k_fold":
        _require_folds(request.folds, rows, f"there are {rows} training rows")
    elif request.method == "stratified_k_fold":
        _require_stratified(request.folds, subject)
    elif request.method == "leave_one_out":
        subject.require_number(rows, "method", f"leave_one_out on {rows:,} rows", "use k_fold with 10 folds")
    elif request.method == "leave_p_out":
        if request.p >= rows:
            raise Invalid.field("too_many_left_out", ["body", "p"], f"must be less than the {rows} training rows")
        what = f"leave_p_out with p {request.p} on {rows:,} rows"
        subject.require_number(comb(rows, request.p), "p", what, "use k_fold or stratified_k_fold")
    return subject.job(session, request.model_dump(mode="json"))


def _require_order(method: str, task: str) -> None:
    """Rows drawn at random would be forecast from what came after them."""
    if (method == "rolling_origin") != (task == "forecasting"):
        is_series = task == "forecasting"
        msg = "divides at random, and series are divided by time; use rolling_origin"
        msg = msg if is_series else f"divides series by time, and this data set is for {task}; use k_fold"
        raise Invalid.field("method_unsuitable", ["body", "method"], msg)


def _require_stratified(folds: int, subject: Subject) -> None:
    if (task := subject.manifest["task"]) != "classification":
        msg = f"divides by class, and this data set is for {task}; use k_fold"
        raise Invalid.field("method_unsuitable", ["body", "method"], msg)
    counts = (subject.manifest.get("class_counts") or {}).get("train") or [subject.rows]
    fewest = min(count for count in counts if count)
    _require_folds(folds, fewest, f"the smallest class has {fewest} rows; k_fold takes more")


def _require_folds(folds: int, most: int, why: str) -> None:
    if folds > most:
        raise Invalid.field("too_many_folds", ["body", "folds"], f"must be at most {most}, since {why}")
