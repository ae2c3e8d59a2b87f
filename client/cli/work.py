"""`syllabus train`, `evaluate`, `infer`, `optimize`, `explain` and `predict`."""

import base64
from pathlib import Path
from typing import Annotated, Any

import typer

from client import results
from client.cli.following import run_to_the_end
from client.cli.session import JsonFlag, session
from client.cli.values import assignments, rows

Model = Annotated[str, typer.Argument(help="Name of a model.", show_default=False)]
Dataset = Annotated[str, typer.Argument(help="Name of a data set.", show_default=False)]
VersionOption = Annotated[str, typer.Option("--version", help="A number, an alias or `latest`.")]
TaskOption = Annotated[
    str | None, typer.Option("--task", help="One of the architecture's. (default: the first that suits the data set)")
]
Detach = Annotated[bool, typer.Option("--detach", help="Return once the job is queued and print its id.")]


def train(
    ctx: typer.Context,
    architecture: Annotated[str, typer.Argument(help="See `syllabus architectures`.", show_default=False)],
    dataset: Dataset,
    model: Annotated[str | None, typer.Option(help="Name of the model. (default: DATASET-ARCHITECTURE)")] = None,
    task: TaskOption = None,
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
        job = s.api.train(architecture, dataset, model, task=task, hyperparameters=hyperparameters, training=settings)
        run_to_the_end(s, job, detach=detach)


def evaluate(
    ctx: typer.Context,
    model: Model,
    dataset: Dataset,
    version: VersionOption = "latest",
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    hardest: Annotated[int, typer.Option(min=0, max=100, help="How many of the worst mistakes to list.")] = 25,
    against: Annotated[
        str | None,
        typer.Option(metavar="[MODEL@]VERSION", help="Another version, compared on the same rows; `v2` is number 2."),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A folder for the figures and tables.")] = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Measure a model on a split of a labelled data set: metrics, calibration, hardest rows, drift, comparison."""
    other = None if against is None else _version_of(against)
    with session(ctx, as_json) as s:
        job = s.api.evaluate(model, dataset, version=version, split=split, hardest=hardest, against=other)
        run_to_the_end(s, job, detach=detach, output=output)


def _version_of(text: str) -> dict[str, Any]:
    """`MODEL@VERSION`, or a version of the same model: a number with or without a `v`, an alias or `latest`."""
    model, _, version = text.rpartition("@")
    number = version.removeprefix("v")
    return {"model": model or None, "version": number if number.isdecimal() else version}


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


def explain(
    ctx: typer.Context,
    model: Model,
    methods: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            help="saliency, integrated_gradients, occlusion, grad_cam, feature_maps, kernels or deepdream; may be "
            "repeated. (default: the first two)",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A folder for the pictures.")] = None,
    version: VersionOption = "latest",
    dataset: Annotated[str | None, typer.Option(help="Where samples come from. (default: the training's)")] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    samples: Annotated[int, typer.Option(min=1, help="How many rows, spread over the split.")] = 8,
    row: Annotated[list[int] | None, typer.Option(min=0, help="This row instead; may be repeated.")] = None,
    target: Annotated[str | None, typer.Option(help="The label to explain. (default: the predicted one)")] = None,
    layer: Annotated[str | None, typer.Option(help="A layer with feature maps. (default: a convolution)")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of deepdream's noise.")] = 0,
    deepdream: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="An option of deepdream, such as octaves=3; may be repeated."),
    ] = None,
    detach: Detach = False,
    as_json: JsonFlag = False,
) -> None:
    """Show where a model's answers come from, and what its layers look for, as pictures."""
    chosen = {} if methods is None else {"methods": methods}
    options = assignments(deepdream or [], "--deepdream")
    with session(ctx, as_json) as s:
        job = s.api.explain(
            model,
            **chosen,
            version=version,
            dataset=dataset,
            split=split,
            samples=row or samples,
            target=target,
            layer=layer,
            seed=seed,
            deepdream=options,
        )
        run_to_the_end(s, job, detach=detach, output=output)


def predict(
    ctx: typer.Context,
    model: Model,
    images: Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Image files.")] = None,
    rows_: Annotated[
        str | None,
        typer.Option("--rows", metavar="JSON", help="Rows of features, '[[5.1, 3.5]]'; texts or series likewise."),
    ] = None,
    version: VersionOption = "latest",
    variant: Annotated[str | None, typer.Option(help="A variant, such as int8. (default: the version's)")] = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="How many of the likeliest labels to answer.")] = None,
    calibrated: Annotated[
        bool, typer.Option("--calibrated", help="Probabilities at the temperature kept with the version.")
    ] = False,
    beam_width: Annotated[int | None, typer.Option(min=1, help="How many texts a translation tries at once.")] = None,
    max_length: Annotated[int | None, typer.Option(min=1, help="How long a translation may be, in its units.")] = None,
    timeout_ms: Annotated[int | None, typer.Option(min=1, help="How long the answer may take.")] = None,
    priority: Annotated[
        int | None, typer.Option(min=1, max=9, help="1 comes first of the requests that wait, 9 last. (default: 5)")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", file_okay=False, help="A folder for the masks of a segmentation.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Predict now, from image files, or from rows of features, texts or series."""
    if bool(images) == (rows_ is not None):
        raise typer.BadParameter("give image files or --rows, not both", param_hint="IMAGES")
    if output is not None and len({path.stem for path in images or []}) < len(images or []):
        raise typer.BadParameter("masks are named as their images, and two of these have one name", param_hint="IMAGES")
    inputs = list(images or []) or rows(rows_ or "")
    with session(ctx, as_json) as s:
        answer = s.api.predict(
            model,
            inputs,
            version=version,
            variant=variant,
            top_k=top_k,
            calibrated=calibrated,
            beam_width=beam_width,
            max_length=max_length,
            timeout_ms=timeout_ms,
            priority=priority,
        )
        s.show(answer, results.predictions(answer["predictions"]))
        if num_cut := sum("truncated" in item for item in answer["predictions"]):
            s.note(f"Texts longer than the model reads, and read only so far: {num_cut}.")
        if output is not None:
            s.note(f"{_save_masks(answer['predictions'], images or [], output)} masks are in {output}.")


def _save_masks(predictions: list[dict[str, Any]], images: list[Path], folder: Path) -> int:
    """Write each mask as PNG under its image's name, and say how many there were."""
    pairs = [(path.stem, item) for path, item in zip(images, predictions, strict=False)]
    masks = {name: base64.b64decode(item["mask"]) for name, item in pairs if "mask" in item}
    folder.mkdir(parents=True, exist_ok=True)
    for name, mask in masks.items():
        (folder / f"{name}.png").write_bytes(mask)
    return len(masks)
