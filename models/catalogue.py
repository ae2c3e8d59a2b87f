"""The catalogue: what can be trained and how, as JSON for the gateway, which must not import torch.

`models/catalogue.json` is generated from the registry by `python -m models catalogue --write`; `--check`
says whether it is stale.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models import registry
from models.losses import LOSSES
from models.metrics import METRICS
from models.registry import Architecture
from models.tasks import TASKS
from models.training.optimizers import OPTIMIZERS
from models.training.schedulers import SCHEDULERS
from models.training.settings import TrainingSettings

SNAPSHOT = Path(__file__).with_name("catalogue.json")


def build() -> dict[str, Any]:
    """The catalogue of everything that is registered."""
    return {
        "architectures": [_architecture(architecture) for architecture in registry.architectures()],
        "tasks": [
            {
                "name": name,
                "title": task.title,
                "needs_targets": task.needs_targets,
                "about": task.about,
                "writes": task.writes,
                "metrics": [metric.name for metric in METRICS if metric.task == name],
                "losses": [_name(loss) for loss in LOSSES if name in loss.tasks],
                "watched": ["val_loss", *(f"val_{metric}" for metric in task.quick_metrics)],
            }
            for name, task in TASKS.items()
        ],
        "optimizers": [_cited(optimizer) for optimizer in OPTIMIZERS],
        "schedulers": [_cited(scheduler) for scheduler in SCHEDULERS],
        "losses": [
            {"name": _name(loss), "title": loss.title, "tasks": list(loss.tasks), "options": _options(loss)}
            for loss in LOSSES
        ],
        "metrics": _metrics(),
        "training": TrainingSettings.model_json_schema(),
    }


def text() -> str:
    """The catalogue as it is written to the snapshot."""
    return json.dumps(build(), indent=1, ensure_ascii=False) + "\n"


def is_fresh() -> bool:
    """Whether the snapshot is what would be written now."""
    return SNAPSHOT.exists() and SNAPSHOT.read_text(encoding="utf-8") == text()


def _architecture(architecture: Architecture) -> dict[str, Any]:
    return {
        "name": architecture.name,
        "title": architecture.title,
        "paper": architecture.paper,
        "unit": architecture.unit,
        "tasks": list(architecture.tasks),
        "modality": list(architecture.modality),
        "smallest_side": architecture.smallest_side,
        "hyperparameters": architecture.config.model_json_schema(),
        "has_validation_loss": architecture.has_validation_loss,
        "training": {name: options.model_dump() for name, options in architecture.training.items()},
        "references": [
            {
                "name": reference.name,
                "hyperparameters": dict(reference.hyperparameters),
                "input": list(reference.input),
                "classes": reference.classes,
                "parameters": reference.parameters,
            }
            for reference in architecture.references
        ],
    }


def _metrics() -> list[dict[str, Any]]:
    """Each name once, with all tasks that have a metric of it."""
    entries: dict[str, dict[str, Any]] = {}
    for metric in METRICS:
        described = {"name": metric.name, "title": metric.title, "tasks": []}
        entry = entries.setdefault(metric.name, described | {"greater_is_better": metric.greater_is_better})
        entry["tasks"].append(metric.task)
    return list(entries.values())


def _cited(options: Any) -> dict[str, Any]:
    return {
        "name": _name(options),
        "title": options.title,
        "paper": options.paper,
        "options": _options(options),
    }


def _name(options: type[BaseModel]) -> str:
    """The one value that the `name` of an options model can have."""
    return str(options.model_json_schema()["properties"]["name"]["const"])


def _options(options: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of the options, without the name that chooses them."""
    schema = options.model_json_schema()
    schema["properties"] = {name: value for name, value in schema["properties"].items() if name != "name"}
    schema["required"] = [name for name in schema.get("required", ()) if name != "name"]
    return schema
