"""Of `learning_curve`."""

from math import floor

from sqlalchemy.orm import Session

from services.errors import Invalid
from services.preparation.fits import Subject
from services.requests.fits import LearningCurveRequest
from services.resources import Resources
from services.tables import Job


def prepare(session: Session, resources: Resources, request: LearningCurveRequest) -> Job:
    """Each size must be 2 rows or more, and at most those that are left to train on."""
    subject = Subject.of(session, resources, request)
    subject.require_held_out("validation")
    subject.require_last_epoch()
    for place, size in enumerate(request.sizes):
        _require_size(size, subject.rows_left, place)
    what = f"{len(request.sizes)} sizes with {request.repeats} repeats"
    subject.require_number(len(request.sizes) * request.repeats, "repeats", what, "use fewer of either")
    return subject.job(session, request.model_dump(mode="json"))


def _require_size(size: float, most: int, place: int) -> None:
    rows = floor(size * most) if size <= 1 else size
    if not 2 <= rows <= most or rows != int(rows):
        msg = f"is {rows:g} rows; give a whole number from 2 to {most}, those left to train on, or a share up to 1"
        raise Invalid.field("size_unsuitable", ["body", "sizes", place], msg)
