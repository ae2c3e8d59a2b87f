"""`syllabus cross-validate`, `learning-curve`, `validation-curve` and `bias-variance`: jobs that train many times."""

from typing import Annotated, Any

import typer

from client.cli.following import run_to_the_end
from client.cli.session import JsonFlag, session
from client.cli.values import assignments, value_of
from client.cli.work import Dataset, Detach

Architecture = Annotated[str, typer.Argument(help="See `syllabus architectures`.", show_default=False)]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A hyperparameter; may be repeated.")]
Training = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="A training setting, such as epochs=5; may be repeated.")
]
Repeats = Annotated[int, typer.Option(min=1, help="Trainings at each point.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the random choice of rows.")]


def cross_validate(
    ctx: typer.Context,
    architecture: Architecture,
    dataset: Dataset,
    method: Annotated[
        str, typer.Option(help="hold_out, k_fold, stratified_k_fold, leave_one_out or leave_p_out.")
    ] = "k_fold",
    folds: Annotated[int, typer.Option(min=2, help="Of k_fold and stratified_k_fold.")] = 5,
    p: Annotated[int, typer.Option(min=1, help="Of leave_p_out: rows left out at a time.")] = 2,
    test_size: Annotated[float, typer.Option(min=0, max=1, help="Of hold_out: share of the rows.")] = 0.2,
    seed: Seed = 0,
    set_: Set = None,
    training: Training = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Estimate how well a configuration does on new rows, by training on parts of the training rows."""
    options: dict[str, Any] = {"folds": folds, "p": p, "test_size": test_size, "seed": seed}
    settings = _settings(set_, training)
    with session(ctx, as_json) as s:
        job = s.api.cross_validate(architecture, dataset, method, **settings, **options)
        run_to_the_end(s, job, detach=detach)


def learning_curve(
    ctx: typer.Context,
    architecture: Architecture,
    dataset: Dataset,
    sizes: Annotated[
        str, typer.Option(help="Shares of the training rows up to 1, or numbers, with commas between them.")
    ] = "0.1,0.25,0.5,0.75,1",
    repeats: Repeats = 3,
    set_: Set = None,
    training: Training = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Train on more and more rows, to see whether more data would help."""
    settings = _settings(set_, training)
    try:
        wanted = [float(size) for size in sizes.split(",")]
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--sizes") from error
    with session(ctx, as_json) as s:
        run_to_the_end(s, s.api.learning_curve(architecture, dataset, wanted, repeats, **settings), detach=detach)


def validation_curve(
    ctx: typer.Context,
    architecture: Architecture,
    dataset: Dataset,
    parameter: Annotated[
        str, typer.Argument(help="Such as hyperparameters.degree or training.l2.", show_default=False)
    ],
    values: Annotated[list[str], typer.Argument(help="Its values; JSON where they parse as such.", show_default=False)],
    repeats: Repeats = 1,
    set_: Set = None,
    training: Training = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Train with each value of a setting, to see which capacity or regularisation suits."""
    settings, wanted = _settings(set_, training), [value_of(value) for value in values]
    with session(ctx, as_json) as s:
        job = s.api.validation_curve(architecture, dataset, parameter, wanted, repeats, **settings)
        run_to_the_end(s, job, detach=detach)


def bias_variance(
    ctx: typer.Context,
    architecture: Architecture,
    dataset: Dataset,
    resamples: Annotated[int, typer.Option(min=2, help="Bootstrap samples, and so trainings.")] = 20,
    seed: Seed = 0,
    set_: Set = None,
    training: Training = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Divide the error on the test rows into bias and variance."""
    settings = _settings(set_, training)
    with session(ctx, as_json) as s:
        run_to_the_end(s, s.api.bias_variance(architecture, dataset, resamples, seed, **settings), detach=detach)


def _settings(set_: list[str] | None, training: list[str] | None) -> dict[str, Any]:
    return {
        "hyperparameters": assignments(set_ or [], "--set"),
        "training": assignments(training or [], "--training"),
    }
