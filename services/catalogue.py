"""What can be trained, as the gateway knows it: a snapshot of the registry in `models/catalogue.json`.

The snapshot holds a JSON Schema for every architecture, optimizer, scheduler and loss and for the training
settings. They are generated from the classes that the training engine reads, so that a value the gateway
accepts is one that the engine accepts.
"""

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from services import schema
from services.errors import FieldError, Invalid, NotFound
from shapes import network
from shapes.fitting import Misfit

SNAPSHOT = Path(__file__).parent.parent / "models" / "catalogue.json"
Entry = dict[str, Any]
# Settings that choose one entry of a list of the catalogue by `name` and give its options beside it.
CHOICES = {"optimizer": "optimizers", "scheduler": "schedulers", "loss": "losses"}


class Catalogue:
    """Look-ups in the snapshot and validation against it."""

    def __init__(self, path: Path = SNAPSHOT) -> None:
        self.snapshot: dict[str, Any] = json.loads(path.read_text("utf-8"))

    @cached_property
    def architectures(self) -> dict[str, Entry]:
        """Architectures by name."""
        return {entry["name"]: entry for entry in self.snapshot["architectures"]}

    def architecture(self, name: str) -> Entry:
        """One architecture. Raises `NotFound`."""
        if name not in self.architectures:
            raise NotFound("architecture_not_found", f"There is no architecture {name!r}.")
        return self.architectures[name]

    def check_training(self, architecture: str, hyperparameters: Entry, training: Entry, manifest: Entry) -> None:
        """Raise `Invalid` naming every wrong field of a train request.

        `manifest` is the data set's: its task and modality must be among the architecture's, and its images large
        enough.
        """
        entry = self.architectures.get(architecture)
        if entry is None:
            known = ", ".join(sorted(self.architectures))
            raise Invalid.field("architecture_unknown", ["body", "architecture"], f"unknown; choose one of {known}")
        errors = [
            *self._fit_errors(entry, manifest),
            *self._hyperparameter_errors(entry, hyperparameters, manifest, ["body", "hyperparameters"]),
            *self._training_errors(training, manifest, ["body", "training"]),
            *self._combination_errors(training, manifest, ["body", "training"]),
        ]
        if errors:
            detail = "; ".join(f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}" for error in errors)
            raise Invalid("job_invalid", detail, errors)

    def _fit_errors(self, entry: Entry, manifest: Entry) -> Iterable[FieldError]:
        if manifest["modality"] not in entry["modality"]:
            takes = " or ".join(entry["modality"])
            msg = f"{entry['name']} takes {takes} data and this data set holds {manifest['modality']} data"
            yield {"loc": ["body", "architecture"], "msg": msg}
        elif manifest["modality"] == "image" and min(manifest["input"]["shape"][1:]) < entry["smallest_side"]:
            (_, height, width), side = manifest["input"]["shape"], entry["smallest_side"]
            msg = (
                f"{entry['name']} takes images of at least {side}×{side} pixels and this data set's are "
                f"{height}×{width}; upload it with a larger image_size or choose another architecture"
            )
            yield {"loc": ["body", "architecture"], "msg": msg}
        if manifest["task"] is None:
            yield {"loc": ["body", "dataset"], "msg": "has no labels; training needs a labelled data set"}
        elif manifest["task"] not in entry["tasks"]:
            msg = f"{entry['name']} does {' or '.join(entry['tasks'])} and this data set is for {manifest['task']}"
            yield {"loc": ["body", "architecture"], "msg": msg}

    def _hyperparameter_errors(
        self, entry: Entry, hyperparameters: Entry, manifest: Entry, loc: list[str | int]
    ) -> Iterable[FieldError]:
        """Values that the schema refuses; failing that, lists of layers that do not fit the data set's inputs."""
        errors = list(schema.errors(entry["hyperparameters"], hyperparameters, loc))
        yield from errors
        if errors or manifest["modality"] not in entry["modality"]:
            return
        num_outputs = len(manifest["classes"] or ["value"])
        for name, field in entry["hyperparameters"]["properties"].items():
            if field.get("format") != network.FORMAT:
                continue
            try:
                layers = network.read(hyperparameters.get(name, field["default"]))
                network.walk(layers, tuple(manifest["input"]["shape"]), num_outputs)
            except Misfit as misfit:
                place = [] if misfit.layer is None else [misfit.layer]
                yield {"loc": [*loc, name, *place], "msg": str(misfit)}

    def _training_errors(self, training: Entry, manifest: Entry, loc: list[str | int]) -> Iterable[FieldError]:
        choices = {field: training[field] for field in CHOICES if training.get(field) is not None}
        others = {field: value for field, value in training.items() if field not in choices}
        yield from schema.errors(self.snapshot["training"], others, loc)
        for field, choice in choices.items():
            yield from self._choice_errors(choice, self.snapshot[CHOICES[field]], manifest, [*loc, field])

    def _combination_errors(self, training: Entry, manifest: Entry, loc: list[str | int]) -> Iterable[FieldError]:
        """Values that are right each by itself, but not together or not for this data set."""
        task = next((task for task in self.snapshot["tasks"] if task["name"] == manifest["task"]), None)
        if task is None:  # of a data set without labels, which is said elsewhere
            return
        augmentation = training.get("augmentation")
        if augmentation and manifest["modality"] != "image":
            yield {"loc": [*loc, "augmentation"], "msg": "is for images; leave it empty for a table"}
        stopping, split = training.get("early_stopping"), training.get("split")
        if not isinstance(stopping, dict):
            return
        if isinstance(split, dict) and split.get("validation") == 0 and "validation" not in manifest["splits"]:
            yield {"loc": [*loc, "early_stopping"], "msg": "needs training.split.validation above 0"}
        if stopping.get("metric", "val_loss") not in task["watched"]:
            msg = f"is not measured for {task['name']}; use {' or '.join(task['watched'])}"
            yield {"loc": [*loc, "early_stopping", "metric"], "msg": msg}

    def _choice_errors(
        self, choice: object, entries: list[Entry], manifest: Entry, loc: list[str | int]
    ) -> Iterable[FieldError]:
        known = ", ".join(entry["name"] for entry in entries)
        if not isinstance(choice, dict) or "name" not in choice:
            yield {"loc": loc, "msg": f"must be an object with a name, one of {known}, and its options"}
            return
        entry = next((entry for entry in entries if entry["name"] == choice["name"]), None)
        if entry is None:
            yield {"loc": [*loc, "name"], "msg": f"unknown; choose one of {known}"}
            return
        if manifest["task"] not in entry.get("tasks", [manifest["task"]]):
            yield {"loc": [*loc, "name"], "msg": f"{entry['name']} is not a choice for {manifest['task']}"}
        options = {key: value for key, value in choice.items() if key != "name"}
        yield from schema.errors(entry["options"], options, loc)
