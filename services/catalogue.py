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
from shapes.requirements import is_about, unmet

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

    def tasks(self, entry: Entry, manifest: Entry) -> list[Entry]:
        """Those of an architecture's tasks that can be learned from a data set."""
        tasks = {task["name"]: task for task in self.snapshot["tasks"]}
        return [
            task
            for task in (tasks[name] for name in entry["tasks"])
            if is_about(task["about"], manifest) and (not task["needs_targets"] or task["name"] == manifest["task"])
        ]

    def needs_targets(self, task: str) -> bool:
        """Whether a data set must be for this very task."""
        return any(entry["needs_targets"] for entry in self.snapshot["tasks"] if entry["name"] == task)

    def check_training(
        self, architecture: str, hyperparameters: Entry, training: Entry, asked: str | None, manifest: Entry
    ) -> Entry:
        """The task that a train request is of: the one that is asked for, or the first that there is.

        `manifest` is the data set's: one of the architecture's tasks must suit it, its modality be among the
        architecture's, and its images large enough. Raises `Invalid` naming every wrong field.
        """
        entry = self.architectures.get(architecture)
        if entry is None:
            known = ", ".join(sorted(self.architectures))
            raise Invalid.field("architecture_unknown", ["body", "architecture"], f"unknown; choose one of {known}")
        tasks = self.tasks(entry, manifest)
        task = next((task for task in tasks if asked in (None, task["name"])), None)
        errors = [
            *self._fit_errors(entry, tasks, asked, manifest),
            *self._hyperparameter_errors(entry, hyperparameters, task, manifest, ["body", "hyperparameters"]),
            *self._training_errors(training, task, ["body", "training"]),
            *self._combination_errors(training, task, manifest, ["body", "training"]),
            *self._validation_errors(entry, training, ["body", "training"]),
        ]
        if errors or task is None:
            detail = "; ".join(f"{'.'.join(map(str, error['loc'][1:]))}: {error['msg']}" for error in errors)
            raise Invalid("job_invalid", detail, errors)
        return task

    def _fit_errors(self, entry: Entry, tasks: list[Entry], asked: str | None, manifest: Entry) -> Iterable[FieldError]:
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
        possible = [task["name"] for task in tasks]
        if possible and asked is not None and asked not in possible:
            msg = f"is not what {entry['name']} can learn from this data set; choose {' or '.join(possible)}"
            yield {"loc": ["body", "task"], "msg": msg}
        elif not possible and manifest["task"] is None:
            msg = f"has no labels, and {entry['name']} needs a labelled data set"
            yield {"loc": ["body", "dataset"], "msg": msg}
        elif not possible:
            msg = f"{entry['name']} does {' or '.join(entry['tasks'])} and this data set is for {manifest['task']}"
            yield {"loc": ["body", "architecture"], "msg": msg}

    def _hyperparameter_errors(
        self, entry: Entry, hyperparameters: Entry, task: Entry | None, manifest: Entry, loc: list[str | int]
    ) -> Iterable[FieldError]:
        """Values that the schema refuses; failing that, those, and lists of layers, that do not fit the data set."""
        errors = list(schema.errors(entry["hyperparameters"], hyperparameters, loc))
        yield from errors
        if errors or manifest["modality"] not in entry["modality"]:
            return
        writes = task is not None and task["writes"]
        for name, msg in unmet(entry["hyperparameters"]["properties"], hyperparameters, manifest, writes=writes):
            yield {"loc": [*loc, name], "msg": msg}
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

    def _training_errors(self, training: Entry, task: Entry | None, loc: list[str | int]) -> Iterable[FieldError]:
        choices = {field: training[field] for field in CHOICES if training.get(field) is not None}
        others = {field: value for field, value in training.items() if field not in choices}
        yield from schema.errors(self.snapshot["training"], others, loc)
        for field, choice in choices.items():
            yield from self._choice_errors(choice, self.snapshot[CHOICES[field]], task, [*loc, field])

    def _combination_errors(
        self, training: Entry, task: Entry | None, manifest: Entry, loc: list[str | int]
    ) -> Iterable[FieldError]:
        """Values that are right each by itself, but not together or not for this data set."""
        if task is None:  # which is said elsewhere
            return
        if training.get("label_noise") and not task["needs_targets"]:
            yield {"loc": [*loc, "label_noise"], "msg": f"is not for {task['name']}, which has no targets; set it to 0"}
        augmentation = training.get("augmentation")
        if augmentation and manifest["modality"] != "image":
            yield {
                "loc": [*loc, "augmentation"],
                "msg": f"is for images, not for {manifest['modality']} data; leave it empty",
            }
        stopping, split = training.get("early_stopping"), training.get("split")
        if not isinstance(stopping, dict):
            return
        if isinstance(split, dict) and split.get("validation") == 0 and "validation" not in manifest["splits"]:
            yield {"loc": [*loc, "early_stopping"], "msg": "needs training.split.validation above 0"}
        if stopping.get("metric", "val_loss") not in task["watched"]:
            msg = f"is not measured for {task['name']}; use {' or '.join(task['watched'])}"
            yield {"loc": [*loc, "early_stopping", "metric"], "msg": msg}

    def _validation_errors(self, entry: Entry, training: Entry, loc: list[str | int]) -> Iterable[FieldError]:
        """Settings that depend on a loss of held-out rows, of a network that has none."""
        if entry["has_validation_loss"]:
            return
        msg = f"depends on a validation loss, which {entry['name']} has not; leave it out"
        if training.get("early_stopping") is not None:
            yield {"loc": [*loc, "early_stopping"], "msg": msg}
        scheduler = training.get("scheduler")
        if isinstance(scheduler, dict) and scheduler.get("name") == "plateau":
            yield {"loc": [*loc, "scheduler"], "msg": msg}

    def _choice_errors(
        self, choice: object, entries: list[Entry], task: Entry | None, loc: list[str | int]
    ) -> Iterable[FieldError]:
        known = ", ".join(entry["name"] for entry in entries)
        if not isinstance(choice, dict) or "name" not in choice:
            yield {"loc": loc, "msg": f"must be an object with a name, one of {known}, and its options"}
            return
        entry = next((entry for entry in entries if entry["name"] == choice["name"]), None)
        if entry is None:
            yield {"loc": [*loc, "name"], "msg": f"unknown; choose one of {known}"}
            return
        if task is not None and task["name"] not in entry.get("tasks", [task["name"]]):
            known = ", ".join(task["losses"]) or "none: what is made small is among the hyperparameters; leave it out"
            msg = f"{entry['name']} is not a choice for {task['name']}, which takes {known}"
            yield {"loc": [*loc, "name"], "msg": msg}
        options = {key: value for key, value in choice.items() if key != "name"}
        yield from schema.errors(entry["options"], options, loc)
