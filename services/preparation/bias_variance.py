"""Of `bias_variance`."""

from sqlalchemy.orm import Session

from services.preparation.fits import Subject
from services.requests.fits import BiasVarianceRequest
from services.resources import Resources
from services.tables import Job


def prepare(session: Session, resources: Resources, request: BiasVarianceRequest) -> Job:
    """There must be test rows, whose error is divided."""
    subject = Subject.of(session, resources, request)
    subject.require_held_out("test")
    return subject.job(session, request.model_dump(mode="json"))
