"""`syllabus train`, `evaluate`, `infer`, `optimize` and `predict`."""

from pathlib import Path
from typing import Annotated

import typer

from client import tables
from client.cli.following import run_to_the_end
from client.cli.session import JsonFlag, session
from client.cli.values import assignments, rows

Model = Annotated[str, typer.Argument(help="Name of a model.", show_default=False)]
Dataset = Annotated[str, typer.Argument(help="Name of a data set.", show_default=False)]
VersionOption = Annotated[str, typer.Option("--version", help="A number, an alias or `latest`.")]
Detach = Annotated[bool, typer.Option("--detach", help="Return once the job is queued and print its id.")]


def train(
    ctx: typer.Context,
    architecture: Annotated[str, typer.Argument(help="See `syllabus architectures`.", show_default=False)],
    dataset: Dataset,
    model: Annotated[str | None, typer.Option(help="Name of the model. (default: DATASET-ARCHITECTURE)")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A hyperparameter; may be repeated.")
    ] = None,
    training: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A training setting, such as epochs=5 or optimizer.learning_rate=0.01; may be repeated.",
        ),
    ] = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Train an architecture on a data set; the result is a new version of a model."""
    hyperparameters, settings = assignments(set_ or [], "--set"), assignments(training or [], "--training")
    with session(ctx, as_json) as s:
        job = s.api.train(architecture, dataset, model, hyperparameters=hyperparameters, training=settings)
        run_to_the_end(s, job, detach=detach)


def evaluate(
    ctx: typer.Context,
    model: Model,
    dataset: Dataset,
    version: VersionOption = "latest",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure a model on a split of a labelled data set."""
    with session(ctx, as_json) as s:
        run_to_the_end(s, s.api.evaluate(model, dataset, version=version, split=split), detach=detach)


def infer(
    ctx: typer.Context,
    model: Model,
    dataset: Dataset,
    version: VersionOption = "latest",
    output_format: Annotated[str, typer.Option("--format", help="jsonl or csv.")] = "jsonl",
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Predict every sample of a data set into a file; fetch it with `syllabus jobs artifacts ID NAME`."""
    with session(ctx, as_json) as s:
        run_to_the_end(s, s.api.infer(model, dataset, version=version, output_format=output_format), detach=detach)


def optimize(
    ctx: typer.Context,
    model: Model,
    version: VersionOption = "latest",
    variants: Annotated[str, typer.Option(help="Which to make, with commas between them.")] = "optimized,fp16,int8",
    max_accuracy_loss: Annotated[
        float, typer.Option(min=0, max=1, help="The most that a variant may lose of accuracy, or of R².")
    ] = 0.01,
    calibration_samples: Annotated[
        int, typer.Option(min=1, help="Training rows from which int8 learns its ranges.")
    ] = 256,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Make smaller or faster files of a model and keep those that answer nearly as well."""
    with session(ctx, as_json) as s:
        job = s.api.optimize(
            model,
            version=version,
            variants=variants.split(","),
            max_accuracy_loss=max_accuracy_loss,
            calibration_samples=calibration_samples,
        )
        run_to_the_end(s, job, detach=detach)


def predict(
    ctx: typer.Context,
    model: Model,
    images: Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Image files.")] = None,
    rows_: Annotated[
        str | None, typer.Option("--rows", metavar="JSON", help="Rows of features: '[[5.1, 3.5, 1.4, 0.2]]'.")
    ] = None,
    version: VersionOption = "latest",
    top_k: Annotated[int | None, typer.Option(min=1, help="How many of the likeliest labels to answer.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Predict now, from image files or rows of features."""
    if bool(images) == (rows_ is not None):
        raise typer.BadParameter("give image files or --rows, not both", param_hint="IMAGES")
    inputs = list(images or []) or rows(rows_ or "")
    with session(ctx, as_json) as s:
        answer = s.api.predict(model, inputs, version=version, top_k=top_k)
        s.show(answer, tables.predictions(answer["predictions"]))
