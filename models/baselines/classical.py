"""Learners of scikit-learn at settings that suit most data, none of them tuned.

Linear: logistic regression (Cox 1958) or ridge (Hoerl and Kennard 1970). k nearest neighbours (Fix and Hodges 1951).
Random forest (Breiman 2001). Gradient boosting on histograms (Friedman 2001; Ke et al. 2017). Trees ask for few
features, so texts have naive Bayes (McCallum and Nigam 1998) in their place.
"""

import warnings
from collections.abc import Iterator
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.baselines.contest import Contest, Entry
from models.run import Reporter, obey

NEIGHBOURS = 5
TREES = 200
MOST_BOOSTED_TREES, ROUNDS = 2000, 100
"""Boosting grows a tree for each class in every round, and less rounds where there are many classes."""
C_OF_TEXTS, ALPHA_OF_TEXTS = 10.0, 0.1
"""Of texts: each string of letters has little weight, so that scikit-learn's defaults would hold them back."""


def learn(contest: Contest, report: Reporter) -> Iterator[Entry]:
    """Fit one after the other and measure it. Raises `Stopped` between two of them."""
    from sklearn.exceptions import ConvergenceWarning

    train, targets = contest.inputs["train"], contest.targets("train")[contest.learned_from]
    for name, (learner, settings) in _learners(contest).items():
        obey(report)
        began_at = monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # what has not converged is scored as it is
            learner.fit(train, targets)
        answers = {split: answers_of(learner, contest.inputs[split], contest) for split in contest.measured}
        yield contest.entry(name, "classical", answers, began_at, **settings)


def answers_of(learner: Any, inputs_NG: Any, contest: Contest) -> NDArray[Any]:
    """Values (N,), or probabilities (N, K) of all classes: of one that the learner has not seen, 0."""
    if contest.dataset.labels is None:
        values: NDArray[Any] = np.asarray(learner.predict(inputs_NG), np.float64)
        return values
    probabilities_NK = np.zeros((inputs_NG.shape[0], contest.num_outputs))
    probabilities_NK[:, np.asarray(learner.classes_, np.int64)] = learner.predict_proba(inputs_NG)
    return probabilities_NK


def _learners(contest: Contest) -> dict[str, tuple[Any, dict[str, Any]]]:
    """By name an unfitted learner and what is not scikit-learn's default in it."""
    from sklearn import ensemble, linear_model, naive_bayes, neighbors

    is_class = contest.dataset.labels is not None
    kind = "Classifier" if is_class else "Regressor"
    threads, seeded = {"n_jobs": contest.threads}, {"random_state": contest.seed}
    linear = {"max_iter": 1000} | ({"C": C_OF_TEXTS} if contest.is_of_texts else {})
    neighbours = {"n_neighbors": min(NEIGHBOURS, len(contest.learned_from))}
    learners: dict[str, tuple[Any, dict[str, Any]]] = {
        "k_nearest_neighbours": (getattr(neighbors, f"KNeighbors{kind}")(**neighbours, **threads), neighbours)
    }
    if is_class:
        learners["logistic_regression"] = linear_model.LogisticRegression(**linear), linear
    else:
        learners["ridge_regression"] = linear_model.Ridge(), {}
    if contest.is_of_texts:
        smoothed = {"alpha": ALPHA_OF_TEXTS}
        return {**learners, "naive_bayes": (naive_bayes.MultinomialNB(**smoothed), smoothed)}
    rounds = max(10, min(ROUNDS, MOST_BOOSTED_TREES // contest.num_outputs))
    forest, boosting = {"n_estimators": TREES}, {"max_iter": rounds, "early_stopping": False}
    return {
        **learners,
        "random_forest": (getattr(ensemble, f"RandomForest{kind}")(**forest, **seeded, **threads), forest),
        "gradient_boosting": (getattr(ensemble, f"HistGradientBoosting{kind}")(**boosting, **seeded), boosting),
    }
