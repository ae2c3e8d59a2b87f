"""A `search` job, and more trials for one."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from services.requests.base import Items, Name, NewModel, Request, Seed, Task

MAX_TRIALS = 10_000
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Architecture = Annotated[str, Field(max_length=63)]
Path = Annotated[str, Field(max_length=200)]
JobId = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class Domain(Request):
    """Where the values of one setting lie: between `low` and `high`, or among `choices`."""

    low: Number | None = None
    high: Number | None = None
    log: bool = Field(False, description="Spread evenly over the orders of magnitude.")
    step: Number | None = Field(None, gt=0.0, description="Only low, low + step, and so on up to high.")
    choices: Items[Any] | None = Field(None, min_length=1, max_length=100)
    when: dict[Path, Any] = Field(
        default_factory=dict,
        max_length=10,
        description="The setting is varied only where those at these paths have this value, or one of these.",
    )


def _as_choices(given: Any) -> Any:
    return {"choices": given} if isinstance(given, list | tuple) else given


# A list stands for the choices alone.
AnyDomain = Annotated[Domain, BeforeValidator(_as_choices, json_schema_input_type=Domain | list[Any])]


class Objective(Request):
    """One of several things to look for."""

    metric: str = Field(max_length=63, description="As `metric`; or latency_ms, of one answer, or parameters.")
    direction: Literal["minimize", "maximize"] | None = Field(None, description="null: whatever is better.")


class SearchRequest(Request):
    """Look for the best hyperparameters and training settings, and register what is trained with them."""

    kind: Literal["search"]
    architecture: Architecture | Annotated[Items[Architecture], Field(min_length=1, max_length=20)] = Field(
        description="Or several, of which each trial has one."
    )
    dataset: Name
    task: Task = None
    model: NewModel | None = Field(None, description="Default: `<dataset>-best`.")
    strategy: Literal["manual", "grid", "random", "bayesian", "gaussian_process", "evolution"] = Field(
        "bayesian",
        description="manual: the `configurations`, one after the other; grid: every point; bayesian: tree-structured "
        "Parzen estimators; evolution: CMA-ES.",
    )
    trials: int | None = Field(
        None, ge=1, le=MAX_TRIALS, description="null: 20; of manual and grid all that there are, at most 1,000."
    )
    parallelism: int = Field(1, ge=1, le=100, description="Trials at a time, as far as there are workers.")
    metric: str | None = Field(
        None, max_length=63, description="val_loss or what else the task's catalogue entry has under `watched`."
    )
    objectives: Annotated[Items[Objective], Field(min_length=1, max_length=3)] | None = Field(
        None, description="Instead of `metric`: what is looked for at once. Trials are pruned by the first."
    )
    space: Annotated[dict[Path, AnyDomain], Field(max_length=50)] | None = Field(
        None,
        description="What is varied, by path: `hyperparameters.dropout`, `training.optimizer.learning_rate`. null: the "
        "learning rate and what the architecture declares, but for what is fixed.",
    )
    configurations: Annotated[Items[dict[Path, Any]], Field(min_length=1, max_length=1000)] | None = Field(
        None, description="Of manual: values by path for each trial."
    )
    pruner: Literal["none", "median", "successive_halving", "hyperband"] = Field(
        "none", description="Which trials are given up early, by what they have come to after each epoch or fold."
    )
    folds: int = Field(0, ge=0, le=20, description="From 2: each trial is cross-validated; 0: one training.")
    time_budget_seconds: float | None = Field(
        None, gt=0.0, le=1e8, description="No trial begins so long after the first; those under way finish."
    )
    max_failures: int | None = Field(
        None,
        ge=1,
        le=MAX_TRIALS,
        description="So many failed trials end the search as failed; null: any number may fail.",
    )
    hyperparameters: dict[str, Any] = Field(default_factory=dict, description="Fixed for all trials.")
    training: dict[str, Any] = Field(default_factory=dict, description="Fixed for all trials.")
    seed: Seed = Field(0, description="Of the sampler; each trial is asked with this and its number.")
    refit: Literal["best", "all"] = Field(
        "best",
        description="best: trained as the best trial was. all: on the validation rows as well, for as many epochs as "
        "were best.",
    )
    warm_start: JobId | None = Field(None, description="An earlier search, from whose trials the sampler learns too.")

    @property
    def architectures(self) -> tuple[str, ...]:
        """All of them."""
        return (self.architecture,) if isinstance(self.architecture, str) else self.architecture


class MoreTrials(Request):
    """How many trials a search is given more."""

    add: int = Field(ge=1, le=MAX_TRIALS)
