"""`syllabus search` and `trials`."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from client import searches
from client.cli.fits import Set, Training
from client.cli.following import run_to_the_end
from client.cli.jobs import JobId
from client.cli.session import JsonFlag, session
from client.cli.values import assignments, domains
from client.cli.work import Dataset, Detach, TaskOption


def search(
    ctx: typer.Context,
    architecture: Annotated[
        str, typer.Argument(help="See `syllabus architectures`; or several, with commas.", show_default=False)
    ],
    dataset: Dataset,
    model: Annotated[str | None, typer.Option(help="Name of the model. (default: DATASET-best)")] = None,
    strategy: Annotated[
        str, typer.Option(help="bayesian, random, grid, gaussian_process, evolution or manual.")
    ] = "bayesian",
    trials: Annotated[int | None, typer.Option(min=1, help="(default: 20; of a grid or a list all)")] = None,
    parallelism: Annotated[int, typer.Option(min=1, help="Trials at a time.")] = 1,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="val_accuracy, val_loss, latency_ms, parameters ...; may be repeated. (default: the task's)"),
    ] = None,
    space: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=DOMAIN",
            help="training.l2=1e-6:0.1:log, training.batch_size=16:128:16, hyperparameters.dropout=[0,0.25] or a JSON "
            "object; may be repeated. (default: what the architecture declares)",
        ),
    ] = None,
    configuration: Annotated[
        list[str] | None,
        typer.Option(metavar="JSON", help="Of manual: the values of a trial by path; may be repeated."),
    ] = None,
    pruner: Annotated[str, typer.Option(help="none, median, successive_halving or hyperband.")] = "none",
    folds: Annotated[int, typer.Option(min=0, help="From 2: each trial is cross-validated.")] = 0,
    time_budget: Annotated[float | None, typer.Option(min=0, help="Seconds after which no trial begins.")] = None,
    max_failures: Annotated[int | None, typer.Option(min=1, help="Failed trials that end the search.")] = None,
    task: TaskOption = None,
    set_: Set = None,
    training: Training = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the sampler.")] = 0,
    refit: Annotated[
        str, typer.Option(help="best: as the best trial was trained; all: on the validation rows too.")
    ] = "best",
    warm_start: Annotated[str | None, typer.Option(metavar="ID", help="An earlier search to learn from.")] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="A folder for the table and the figures.")
    ] = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Look for the best hyperparameters and training settings; what is trained with them becomes a version."""
    names = architecture.split(",")
    options: dict[str, Any] = {
        "strategy": strategy,
        "parallelism": parallelism,
        "pruner": pruner,
        "folds": folds,
        "seed": seed,
        "refit": refit,
        "hyperparameters": assignments(set_ or [], "--set"),
        "training": assignments(training or [], "--training"),
        "task": task,
        "trials": trials,
        "time_budget_seconds": time_budget,
        "max_failures": max_failures,
        "warm_start": warm_start,
        "space": None if space is None else domains(space, "--space"),
        "configurations": None if configuration is None else [_point(text) for text in configuration],
        **_goal(metric or []),
    }
    with session(ctx, as_json) as s:
        job = s.api.search(names[0] if len(names) == 1 else names, dataset, model, **options)
        run_to_the_end(s, job, detach=detach, output=output)


def trials(
    ctx: typer.Context,
    job_id: JobId,
    add: Annotated[int | None, typer.Option(min=1, help="Give the search so many trials more.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the trials of a search, while it runs and after, or give it more."""
    with session(ctx, as_json) as s:
        if add is not None:
            job = s.api.jobs.add_trials(job_id, add)
            s.show(job, f"{job_id} has {job['request']['trials']} trials.")
        elif as_csv:
            typer.echo(s.api.jobs.trials_csv(job_id), nl=False)
        else:
            items = s.api.jobs.trials(job_id)
            s.show(items, searches.trials(items))


def _goal(metrics: list[str]) -> dict[str, Any]:
    """One metric, or several as objectives; nothing for the task's own."""
    if len(metrics) > 1:
        return {"objectives": [{"metric": metric} for metric in metrics]}
    return {"metric": metrics[0]} if metrics else {}


def _point(text: str) -> dict[str, Any]:
    try:
        point = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"not JSON: {error}", param_hint="--configuration") from error
    if not isinstance(point, dict):
        raise typer.BadParameter('give an object such as {"training.l2": 0.01}', param_hint="--configuration")
    return point
