"""Any job, told apart by `kind`."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from services.requests.evaluate import EvaluateRequest
from services.requests.explain import ExplainRequest
from services.requests.fits import (
    BiasVarianceRequest,
    CrossValidateRequest,
    LearningCurveRequest,
    ValidationCurveRequest,
)
from services.requests.infer import InferRequest
from services.requests.optimize import OptimizeRequest
from services.requests.train import TrainRequest

JobRequest = Annotated[
    TrainRequest
    | EvaluateRequest
    | InferRequest
    | OptimizeRequest
    | ExplainRequest
    | CrossValidateRequest
    | LearningCurveRequest
    | ValidationCurveRequest
    | BiasVarianceRequest,
    Field(discriminator="kind"),
]
JOB_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)
