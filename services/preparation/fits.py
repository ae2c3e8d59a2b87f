"""What kinds that train several times have in common: a labelled data set, and not too many trainings."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from services import datasets
from services.baselines import split_of
from services.errors import Invalid
from services.preparation.queues import compute_queue
from services.requests.fits import FitsRequest
from services.resources import Resources
from services.tables import Job

MAX_FITS = 1000
"""The most trainings of one job."""
TASKS = ("classification", "regression")


@dataclass(frozen=True)
class Subject:
    """A request and the data set that it can be trained on. What does not suit is an `Invalid` naming the field."""

    request: FitsRequest
    manifest: dict[str, Any]
    split: dict[str, Any]
    """`training.split`, defaults filled in."""

    @classmethod
    def of(
        cls, session: Session, resources: Resources, request: FitsRequest, tasks: tuple[str, ...] = TASKS
    ) -> "Subject":
        """Its architecture and settings are checked as those of a train request, for one of these tasks."""
        manifest = datasets.named_in_body(session, request.dataset).manifest or {}
        catalogue = resources.catalogue
        of = catalogue.check_training(
            request.architecture, request.hyperparameters, request.training, request.task, manifest
        )
        if of["name"] not in tasks:
            field = "task" if request.task else "dataset" if of["needs_targets"] else "architecture"
            msg = f"is for {of['name']}, and {request.kind} jobs are of {', '.join(tasks)}"
            raise Invalid.field("task_unsuitable", ["body", field], msg)
        return cls(request, manifest, split_of(catalogue, request.training))

    @property
    def rows(self) -> int:
        """Rows of the data set's training split."""
        return int(self.manifest["splits"]["train"]["count"])

    @property
    def rows_left(self) -> int:
        """Those of them that are left to train on when `training.split` has held out what the data set lacks."""
        missing = {"validation", "test"} - self.manifest["splits"].keys()
        return self.rows - sum(round(self.rows * float(self.split[name])) for name in missing)

    def require_number(self, fits: int, field: str, what: str, remedy: str) -> None:
        """The field that asks for so many trainings asks for no more than `MAX_FITS`."""
        if fits > MAX_FITS:
            msg = f"{what} is {fits:,} trainings, and a job does at most {MAX_FITS:,}; {remedy}"
            raise Invalid.field("too_many_fits", ["body", field], msg)

    def require_held_out(self, name: str) -> None:
        """The data set has this split, or `training.split` holds rows out for it."""
        if name not in self.manifest["splits"] and self.split[name] == 0:
            msg = f"must be above 0: {self.request.kind} jobs measure on these rows, and the data set brings none"
            raise Invalid.field("no_held_out_rows", ["body", "training", "split", name], msg)

    def require_last_epoch(self) -> None:
        """No early stopping, where the validation rows are measured on and may choose nothing."""
        if self.request.training.get("early_stopping") is not None:
            msg = f"has no rows to watch: {self.request.kind} jobs measure on the validation rows; leave it out"
            raise Invalid.field("early_stopping_unsuitable", ["body", "training", "early_stopping"], msg)

    def job(self, session: Session, body: dict[str, Any]) -> Job:
        """The job, which belongs to no model."""
        queue = compute_queue(session, self.request.training.get("device", "auto"))
        return Job(kind=self.request.kind, queue=queue, request=body, dataset_name=self.request.dataset)
