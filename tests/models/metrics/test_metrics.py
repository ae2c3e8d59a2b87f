import numpy as np

from models.metrics import METRICS, is_greater_better
from models.metrics.classification import classification_scores
from models.metrics.regression import regression_scores


def test_every_score_is_in_the_catalogue() -> None:
    classified = classification_scores(np.array([0, 1]), np.eye(2), ["no", "yes"])
    regressed = regression_scores(np.arange(9.0), np.arange(9.0), num_inputs=1)
    assert set(classified) == {metric.name for metric in METRICS if metric.task == "classification"}
    assert set(regressed) == {metric.name for metric in METRICS if metric.task == "regression"}


def test_a_loss_is_better_when_it_is_less() -> None:
    assert [is_greater_better(name) for name in ("accuracy", "iou", "mae", "loss")] == [True, True, False, False]
