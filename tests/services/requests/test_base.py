"""Requests are read strictly, all of them."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.requests.base import Request
from services.requests.datasets import DatasetOptions
from services.requests.evaluate import EvaluateRequest
from services.requests.fits import LearningCurveRequest
from services.requests.search import MoreTrials, SearchRequest
from services.requests.traffic import AliasTarget, TrafficTarget

EVALUATE = {"kind": "evaluate", "model": "m", "dataset": "d"}
SEARCH = {"kind": "search", "architecture": "lenet", "dataset": "d"}
CURVE = {"kind": "learning_curve", "architecture": "lenet", "dataset": "d"}


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (SearchRequest, {**SEARCH, "trials": True}),
        (SearchRequest, {**SEARCH, "trials": "5"}),
        (SearchRequest, {**SEARCH, "space": {"training.l2": {"low": 0.1, "high": 1, "log": "yes"}}}),
        (SearchRequest, {**SEARCH, "architecture": ["lenet", 5]}),
        (EvaluateRequest, {**EVALUATE, "version": True}),
        (EvaluateRequest, {**EVALUATE, "against": {"version": 1.0}}),
        (LearningCurveRequest, {**CURVE, "sizes": ["0.5"]}),
        (LearningCurveRequest, {**CURVE, "sizes": [True]}),
        (DatasetOptions, {"image_size": [28, "28"]}),
        (TrafficTarget, {"weights": {"1": True}}),
        (AliasTarget, {"version": "1"}),
        (MoreTrials, {"add": True}),
    ],
)
def test_a_value_of_another_type_is_refused(model: type[Request], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="should be"):
        model.model_validate(fields)


def test_lists_are_taken_for_tuples_and_whole_numbers_for_numbers() -> None:
    assert LearningCurveRequest.model_validate({**CURVE, "sizes": [0.5, 1]}).sizes == (0.5, 1.0)
    assert DatasetOptions.model_validate({"image_size": [28, 32]}).image_size == (28, 32)
    assert SearchRequest.model_validate({**SEARCH, "architecture": ["lenet", "mlp"]}).architectures == ("lenet", "mlp")
    for version in (3, "3", "latest"):
        assert EvaluateRequest.model_validate({**EVALUATE, "version": version}).version == version
