"""Is the loss of the untrained network what it must be of one that knows nothing?

A cross-entropy of K classes should begin near ln K, or near the entropy of the classes' frequencies if the output
biases are set to them; a squared error of standardised targets near 1. More is confidence in wrong answers, which the
first steps must undo; less is an answer that has come in with the inputs.
"""

import numpy as np
import torch

from models.diagnosis.finding import Finding, Verdict, above, not_applicable
from models.diagnosis.subject import Subject
from models.metrics.classification import class_frequencies

TOO_MUCH, FAR_TOO_MUCH = 1.5, 3.0
TOO_LITTLE = 0.75
"""Of the least that the targets' frequencies allow."""
REMEDIES = (
    "smaller weights in the last layer, or another `initialization`",
    "batch normalisation",
    "inputs without extreme values: see the check `data`",
)


def check(subject: Subject) -> Finding:
    """The loss of some rows at initialisation against that of outputs which are all 0."""
    network, batch = subject.network(), subject.batch()
    expected = subject.loss_of_zeros(network, batch)
    if expected < 1e-6:
        return not_applicable(f"{subject.task.loss.__class__.__name__} is 0 for equal scores: its start says nothing.")
    with torch.no_grad():
        loss = float(subject.loss(network, batch))
    numbers = {"loss": loss, "expected": expected, "ratio": loss / expected, "rows": len(batch.targets)}
    least = expected
    if subject.plan.settings.loss is not None and subject.plan.settings.loss.name == "cross_entropy":
        targets = batch.targets.flatten().cpu().numpy()
        shares = class_frequencies(targets, subject.task.num_outputs)
        numbers["entropy_of_classes"] = least = float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
    detail = f"The loss begins at {loss:.3g}; of a network that knows nothing it is {expected:.3g}."
    verdict: Verdict = above(loss / expected, TOO_MUCH, FAR_TOO_MUCH)
    if verdict == "good" and loss < TOO_LITTLE * least:
        remedies = ("look for the target among the inputs, as a column or as a mark in the images",)
        return Finding("suspicious", f"{detail} That is less than guessing allows.", numbers, remedies)
    return Finding(verdict, detail, numbers, REMEDIES)
