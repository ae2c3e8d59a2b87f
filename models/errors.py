"""Failures a user can understand and act on.

JobError                        the job cannot go on; its code and detail are shown to the user
 ├── UnknownName                an architecture, task, optimiser or other name that the registry does not hold
 ├── InvalidHyperparameters     hyperparameters that the architecture's Config refuses
 ├── UnsuitableInput            the input is too small for, or of another kind than, what the network takes
 ├── UnsuitableData             the data set cannot be learned from: no targets, one class, too few rows
 ├── TrainingDiverged           the loss stopped being a finite number
 ├── ParityFailed               the exported graph does not answer as the trained network does
 ├── DeviceUnavailable          the request names a device or precision that this machine does not have
 └── Mismatch                   a data set that does not fit the model it is given to

Any other exception is a fault of ours and is reported as an internal error.
"""

from pydantic import ValidationError


def faults(root: str, error: ValidationError) -> str:
    """What pydantic found wrong with an object, each fault behind its place: `training.epochs: ...`."""
    return "; ".join(
        f"{'.'.join(map(str, (root, *fault['loc'])))}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()
    )


class JobError(Exception):
    """A job failed for a reason its user can read and mend.

    `code` is stable, in snake_case, for programs; `detail` names the field and the remedy, for people.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class UnknownName(JobError):
    """A name is not registered. `kind` is what was looked up, `known` what there is."""

    def __init__(self, kind: str, name: str, known: list[str]) -> None:
        super().__init__(f"unknown_{kind}", f"There is no {kind} named {name!r}; there are: {', '.join(known)}.")


class InvalidHyperparameters(JobError):
    """The architecture's Config refuses the hyperparameters."""

    def __init__(self, detail: str) -> None:
        super().__init__("invalid_hyperparameters", detail)


class UnsuitableInput(JobError):
    """The network cannot take inputs of this shape."""

    def __init__(self, detail: str) -> None:
        super().__init__("unsuitable_input", detail)


class UnsuitableData(JobError):
    """The data set cannot be trained or scored on. Found before training begins."""

    def __init__(self, detail: str) -> None:
        super().__init__("unsuitable_data", detail)


class TrainingDiverged(JobError):
    """The training loss became infinite or not a number."""

    def __init__(self, detail: str) -> None:
        super().__init__("training_diverged", detail)


class ParityFailed(JobError):
    """ONNX Runtime and PyTorch disagree on the trained network's answers."""

    def __init__(self, detail: str) -> None:
        super().__init__("parity_failed", detail)


class DeviceUnavailable(JobError):
    """The machine has no such device, or the device no such precision."""

    def __init__(self, detail: str) -> None:
        super().__init__("device_unavailable", detail)


class Mismatch(JobError):
    """The data set's inputs or classes are not those the model was trained on."""

    def __init__(self, detail: str) -> None:
        super().__init__("dataset_mismatch", detail)
