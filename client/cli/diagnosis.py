"""`syllabus baseline` and `diagnose`: what a network has to beat, and why it does not learn."""

from pathlib import Path
from typing import Annotated

import typer

from client.cli.fits import Architecture, Set, Training
from client.cli.following import run_to_the_end
from client.cli.session import JsonFlag, session
from client.cli.values import assignments
from client.cli.work import Dataset, Detach

Output = Annotated[Path | None, typer.Option("-o", "--output", help="A folder for the report and the figures.")]


def baseline(
    ctx: typer.Context,
    dataset: Dataset,
    families: Annotated[
        str | None,
        typer.Option(help="Of random, classical and automl, with commas between them. (default: all that suit)"),
    ] = None,
    time_budget: Annotated[float, typer.Option(min=1, help="Seconds that automl searches.")] = 60.0,
    split: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="As --training split.KEY of the trainings to compare; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of guesses, learners and search.")] = 0,
    output: Output = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure what can be had without a network; later trainings say how they stand to it."""
    wanted, options = None if families is None else families.split(","), assignments(split or [], "--split")
    with session(ctx, as_json) as s:
        job = s.api.baseline(dataset, wanted, time_budget_seconds=time_budget, split=options, seed=seed)
        run_to_the_end(s, job, detach=detach, output=output)


def diagnose(
    ctx: typer.Context,
    architecture: Architecture,
    dataset: Dataset,
    check: Annotated[
        list[str] | None,
        typer.Option(
            help="data, initial_loss, overfit_batch, gradients, activations, updates, learning_rate, fit or "
            "label_noise; may be repeated. (default: all)"
        ),
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Trainings of label_noise.")] = 5,
    set_: Set = None,
    training: Training = None,
    output: Output = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Find out why an architecture does not learn with these settings, or that it does."""
    hyperparameters, settings = assignments(set_ or [], "--set"), assignments(training or [], "--training")
    with session(ctx, as_json) as s:
        job = s.api.diagnose(
            architecture, dataset, check, folds=folds, hyperparameters=hyperparameters, training=settings
        )
        run_to_the_end(s, job, detach=detach, output=output)
