"""Of `optimize`."""

from typing import Any

from sqlalchemy.orm import Session

from services.errors import Invalid
from services.preparation.versions import training_data, version_in_body
from services.preparation.with_model import VARYING
from services.requests.optimize import OptimizeRequest
from services.resources import Resources
from services.tables import Job


def prepare(session: Session, resources: Resources, request: OptimizeRequest) -> Job:
    """int8 is refused where the data set that the version was trained on is gone."""
    version = version_in_body(session, request)
    if "generative" in version.record:
        task = version.signature["task"]
        msg = f"is for {task}: its calls are answered by several graphs, and variants are of one; it is served as it is"
        raise Invalid.field("model_not_optimized", ["body", "model"], msg)
    if (modality := version.signature["modality"]) in VARYING:
        raise Invalid.field("model_not_optimized", ["body", "model"], f"takes {modality}, and is served as it is")
    dataset = training_data(session, version)
    variants = list(dict.fromkeys(request.variants))
    if dataset is None and "int8" in variants:
        msg = (
            "int8 learns from the data set that the version was trained on, which "
            + ("it has none of" if version.dataset_name is None else f"{version.dataset_name!r} is no longer")
            + "; ask for optimized or fp16"
        )
        raise Invalid.field("no_calibration_data", ["body", "variants"], msg)
    body: dict[str, Any] = {**request.model_dump(mode="json"), "version": version.number, "variants": variants}
    dataset_name = None if dataset is None else dataset.name
    return Job(kind="optimize", queue="cpu", request=body, dataset_name=dataset_name, model_name=request.model)
