"""From a request to the row of a job: a module for each kind, or for kinds that need the same.

What only the database knows (a name, a task, a worker with a GPU) is checked here, so that a wrong request is
refused before it is queued.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from services.preparation import (
    baseline,
    bias_variance,
    cross_validate,
    diagnose,
    evaluate,
    explain,
    learning_curve,
    optimize,
    search,
    train,
    validation_curve,
    with_model,
)
from services.requests.jobs import JobRequest
from services.resources import Resources
from services.tables import Job

PREPARATIONS: dict[str, Callable[[Session, Resources, Any], Job]] = {
    "train": train.prepare,
    "evaluate": evaluate.prepare,
    "infer": with_model.prepare,
    "optimize": optimize.prepare,
    "explain": explain.prepare,
    "cross_validate": cross_validate.prepare,
    "learning_curve": learning_curve.prepare,
    "validation_curve": validation_curve.prepare,
    "bias_variance": bias_variance.prepare,
    "search": search.prepare,
    "baseline": baseline.prepare,
    "diagnose": diagnose.prepare,
}


def prepare(session: Session, resources: Resources, request: JobRequest) -> Job:
    """The job that a request asks for, not yet stored. Raises `Invalid` naming the wrong field."""
    return PREPARATIONS[request.kind](session, resources, request)
