"""`syllabus datasets`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from client import tables
from client.cli.following import follow_to_the_end, show_end
from client.cli.session import JsonFlag, Session, print_json, session
from client.cli.values import assignments
from client.datasets import default_name
from client.progress import UploadBar

app = typer.Typer(no_args_is_help=True, help="Upload, look at and delete data sets.")

Name = Annotated[str, typer.Argument(help="Name of a data set.", show_default=False)]


@app.command("list")
def list_datasets(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the data sets, built-in and uploaded."""
    with session(ctx, as_json) as s:
        items = s.api.datasets.list()
        s.show(items, tables.datasets(items))


@app.command()
def upload(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(exists=True, help="A file, or a directory, which is sent as a zip.")],
    name: Annotated[str | None, typer.Option(help="Name of the data set. (default: the file's)")] = None,
    format: Annotated[
        str,
        typer.Option(
            help="image-folder, mask-folder, idx, csv, parquet, npz, text-folder, text-classes, pairs, conll, trees or"
            " series; auto finds out."
        ),
    ] = "auto",
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            help="target=price, task=regression, image_size=64, channels=1, split.test=0.2, gaps=interpolate ...",
        ),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return once it is sent, before it is read in.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Send a data set and wait until it is ready to use."""
    options = assignments(option or [], "--option")
    with session(ctx, as_json) as s:
        name = name or default_name(source)
        job = _send(s, source, name, format, options)
        if detach:
            s.show(job, job["id"])
            return
        job = follow_to_the_end(s, job)
        if job["state"] != "succeeded":
            show_end(s, job)
        dataset = s.api.datasets.get(name)
        s.show(dataset, tables.details(dataset))


@app.command()
def show(ctx: typer.Context, name: Name, as_json: JsonFlag = False) -> None:
    """Show a data set: state, splits, classes, shapes, size and digest."""
    with session(ctx, as_json) as s:
        dataset = s.api.datasets.get(name)
        s.show(dataset, tables.details(dataset))


@app.command()
def preview(
    ctx: typer.Context,
    name: Name,
    n: Annotated[int, typer.Option("-n", min=1, help="How many samples.")] = 16,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to put the picture.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the first samples: rows as JSON, images as one PNG saved to NAME.png."""
    with session(ctx, as_json) as s:
        samples = s.api.datasets.preview(name, n)
        if isinstance(samples, bytes):
            target = output or Path(f"{Path(name).name}.png")
            target.write_bytes(samples)
            s.show({"file": str(target)}, str(target))
        else:
            print_json(samples)


@app.command()
def delete(ctx: typer.Context, name: Name, as_json: JsonFlag = False) -> None:
    """Delete an uploaded data set. Refused while a job uses it."""
    with session(ctx, as_json) as s:
        s.api.datasets.delete(name)
        s.show({"deleted": name}, f"Deleted {name}.")


def _send(s: Session, source: Path, name: str, format: str, options: dict[str, Any]) -> dict[str, Any]:
    with UploadBar(s.err, f"upload {name}") as bar:
        try:
            return s.api.datasets.upload(source, name, format=format, options=options, on_progress=bar)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="SOURCE") from error
