"""Any job, told apart by `kind`."""

from typing import Annotated

from pydantic import Field, TypeAdapter

from services.requests.baseline import BaselineRequest
from services.requests.diagnose import DiagnoseRequest
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
from services.requests.search import SearchRequest
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
    | BiasVarianceRequest
    | SearchRequest
    | BaselineRequest
    | DiagnoseRequest,
    Field(discriminator="kind"),
]
JOB_REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)
