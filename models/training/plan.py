"""A train request made concrete: everything that can be refused has been, before any time is spent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from models import registry
from models.data import DataSet
from models.errors import JobError, Mismatch
from models.examples import Examples
from models.preprocess import fitted
from models.recurrent import truncate
from models.registry import Architecture, ArchitectureConfig, TokenOptions
from models.splits import Parts
from models.tasks import TASKS, Task, task_of, with_loss
from models.training.device import Compute, choose
from models.training.settings import TrainingSettings, training_settings
from models.windows import Windowing
from shapes.division import season_of
from shapes.requirements import unmet
from shapes.tokens import Given, Tokenizer, Unit


@dataclass(frozen=True)
class Plan:
    """What to train, on what, and how."""

    architecture: Architecture
    config: ArchitectureConfig
    settings: TrainingSettings
    compute: Compute
    dataset: DataSet
    splits: dict[str, Examples]
    task: Task

    @classmethod
    def of(cls, request: dict[str, Any], dataset: DataSet, parts: Parts | None = None) -> "Plan":
        """The plan of a request of the API, with defaults filled in.

        `parts` says which rows are for what, if not `training.split`: `train`, and `validation` if the best epoch
        is to be chosen; others are there to be measured on.

        Raises:
            JobError: the request cannot be trained: a name is unknown, a value is out of bounds, the data
                set does not suit the architecture or cannot be learned from, the device is absent.
        """
        architecture = registry.get(request["architecture"])
        config = architecture.configure(request.get("hyperparameters") or {})
        task = _suitable_task(architecture, dataset, request.get("task"))
        _require_met(config, dataset, task)
        settings = with_loss(
            training_settings({**architecture.training, **(request.get("training") or {})}), task, architecture.loss
        )
        compute = choose(settings)
        dataset = _windowed(dataset, config)
        parts = dataset.rows(settings.split) if parts is None else parts
        dataset = _tokenized(dataset, config, parts, marked=TASKS[task].writes)
        splits = {name: dataset.examples(source, rows, compute.device) for name, (source, rows) in parts.items()}
        TASKS[task].require_suitable(dataset, splits, settings.loss, config)
        _require_validation_loss(settings, architecture)
        _require_consistent(settings, dataset, task, has_validation="validation" in splits)
        return cls(
            architecture,
            config,
            settings,
            compute,
            dataset,
            splits,
            TASKS[task].of(config, dataset, splits["train"], settings.loss),
        )

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: len(examples) for name, examples in self.splits.items()}

    @property
    def num_cut(self) -> int:
        """Training rows that are texts with more units than are read."""
        tokenizer, train = self.dataset.tokenizer, self.splits["train"]
        if tokenizer is None:
            return 0
        return sum(not tokenizer.fits(text) for text in self.dataset.texts(train.source, train.rows))

    def network(self) -> nn.Sequential:
        """Preprocessing fitted to the training rows, and the freshly drawn network behind it.

        Raises:
            UnsuitableData: a column has infinite values.
            UnsuitableInput: the architecture cannot take inputs of this shape.
            JobError: `unsuitable_batch_size`, of 1 with batch normalisation; `unsuitable_truncation`.
        """
        preprocess = fitted(self.dataset, self.splits["train"], self.task.pixels)
        taken = self.task.taken(preprocess.output_shape)
        network = self.task.build(self.config, self.dataset.input, taken, self.task.num_outputs)
        if self.settings.batch_size == 1 and any(
            isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules()
        ):
            raise JobError(
                "unsuitable_batch_size",
                "Batch normalisation has no variance in a batch of one row: set `training.batch_size` to 2 or more.",
            )
        if self.settings.truncate_steps is not None:
            truncate(network, self.settings.truncate_steps)
        return nn.Sequential(preprocess, network)


def presented(request: Mapping[str, Any], dataset: DataSet) -> DataSet:
    """The data set with the rows that a request's network learns from: windows of series to forecast."""
    config = registry.get(request["architecture"]).configure(request.get("hyperparameters") or {})
    return _windowed(dataset, config)


def _windowed(dataset: DataSet, config: ArchitectureConfig) -> DataSet:
    """The data set with windows for rows, if it holds series to forecast."""
    if dataset.manifest["task"] != "forecasting" or config.windows is None:
        return dataset
    context, horizon, season = config.windows
    described = dataset.manifest["input"]
    return dataset.windowed(Windowing(context, horizon, season or season_of(described["time"]), described["columns"]))


def _tokenized(dataset: DataSet, config: ArchitectureConfig, parts: Parts, *, marked: bool) -> DataSet:
    """The data set with tokens for texts, which the training rows alone say how to make."""
    if config.tokens is None or dataset.input["dtype"] != "string":
        return dataset
    unit = dataset.given or config.tokens.unit
    tokenizer = _fitted(unit, config.tokens, dataset.texts(*parts["train"]), marked=marked)
    if config.written is None:
        return dataset.tokenized(tokenizer)
    return dataset.tokenized(
        tokenizer, _fitted(config.written.unit, config.written, dataset.target_texts(*parts["train"]), marked=True)
    )


def _fitted(unit: Unit | Given, options: TokenOptions, texts: Iterable[str], *, marked: bool = False) -> Tokenizer:
    _, size, max_length, spelling = options
    try:
        return Tokenizer.fit(texts, unit, size=size, max_length=max_length, spelling=spelling, marked=marked)
    except ValueError as error:
        raise JobError("unsuitable_hyperparameter", f"hyperparameters.vocabulary: {error}.") from error


def _suitable_task(architecture: Architecture, dataset: DataSet, asked: str | None) -> str:
    """The task that is asked for, or else the first that the architecture can do and the data set is for."""
    task = task_of(architecture, dataset.manifest, asked)
    if dataset.modality not in architecture.modality:
        raise Mismatch(
            f"{architecture.name} takes {' and '.join(architecture.modality)} data; the data set is {dataset.modality}."
        )
    return task


def _require_met(config: ArchitectureConfig, dataset: DataSet, task: str) -> None:
    """Refuse hyperparameters that are for other data."""
    properties = config.model_json_schema()["properties"]
    for name, msg in unmet(properties, config.model_dump(mode="json"), dataset.manifest, writes=TASKS[task].writes):
        raise JobError("unsuitable_hyperparameter", f"hyperparameters.{name}: {msg}.")


def _require_validation_loss(settings: TrainingSettings, architecture: Architecture) -> None:
    """Refuse settings that depend on a loss of held-out rows for a network that has none."""
    if architecture.has_validation_loss:
        return
    for field, wanted in (
        ("early_stopping", settings.early_stopping is not None),
        ("scheduler", settings.scheduler.name == "plateau"),
    ):
        if wanted:
            msg = f"`training.{field}` depends on a validation loss, which {architecture.name} has not; leave it out."
            raise JobError("no_validation_loss", msg)


def _require_consistent(settings: TrainingSettings, dataset: DataSet, task: str, *, has_validation: bool) -> None:
    """Refuse settings that are right each by itself, but not for this data set."""
    if settings.augmentation and dataset.modality != "image":
        raise JobError("unsuitable_augmentation", "`training.augmentation` is for images; leave it empty.")
    if settings.label_noise and not TASKS[task].needs_targets:
        raise JobError("unsuitable_label_noise", f"`training.label_noise` is not for {task}; set it to 0.")
    stopping = settings.early_stopping
    if stopping is None:
        return
    if not has_validation:
        raise JobError("no_validation", "`training.early_stopping` needs `training.split.validation` above 0.")
    watched = ["val_loss", *(f"val_{metric}" for metric in TASKS[task].quick_metrics)]
    if stopping.metric not in watched:
        raise JobError(
            "unsuitable_metric",
            f"`training.early_stopping.metric` {stopping.metric} is not for {task}: use {' or '.join(watched)}.",
        )
