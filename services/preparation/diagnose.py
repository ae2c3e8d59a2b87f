"""Of `diagnose`."""

from sqlalchemy.orm import Session

from services.errors import Invalid
from services.preparation.fits import Subject
from services.preparation.with_model import VARYING
from services.requests.diagnose import DiagnoseRequest
from services.resources import Resources
from services.tables import Job

TASKS = ("classification", "regression", "segmentation")


def prepare(session: Session, resources: Resources, request: DiagnoseRequest) -> Job:
    """Checks are made in the order of the catalogue of checks, each once; each row is left out by one of the folds."""
    subject = Subject.of(session, resources, request, TASKS)
    if (modality := subject.manifest["modality"]) in VARYING:
        msg = f"holds {modality} data; `diagnose` is for images and tables"
        raise Invalid.field("data_not_diagnosed", ["body", "dataset"], msg)
    if "label_noise" in request.checks and request.folds > subject.rows:
        msg = f"must be at most {subject.rows}, since there are {subject.rows} training rows"
        raise Invalid.field("too_many_folds", ["body", "folds"], msg)
    return subject.job(session, {**request.model_dump(mode="json"), "checks": list(dict.fromkeys(request.checks))})
