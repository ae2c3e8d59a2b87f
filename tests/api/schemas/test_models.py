"""What is written in the description of the API against what is answered."""

from typing import Any

import pytest

from api.schemas.models import PredictionsOut


@pytest.mark.parametrize(
    "answer",
    [
        {"forecast": [1.5, 2.5]},
        {"forecast": [1.5, 2.5], "quantiles": {"0.1": [1.0, 2.0], "0.5": [1.5, 2.5]}},
        {"log_probability": -4.0, "tokens": 4, "perplexity": 2.5},
        {"text": "ab", "score": -0.5},
    ],
)
def test_each_kind_of_prediction_is_described(answer: dict[str, Any]) -> None:
    described = PredictionsOut.model_validate({"model": "m", "version": 1, "predictions": [answer]})
    assert described.model_dump(exclude_none=True)["predictions"] == [answer]
