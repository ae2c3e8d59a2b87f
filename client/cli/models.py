"""`syllabus models`."""

from pathlib import Path
from typing import Annotated

import typer

from client import tables
from client.cli.session import JsonFlag, session

app = typer.Typer(no_args_is_help=True, help="Look at, download and name trained models.")

Name = Annotated[str, typer.Argument(help="Name of a model.", show_default=False)]
VersionOption = Annotated[str, typer.Option("--version", help="A number, an alias or `latest`.")]


@app.command("list")
def list_models(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """List the models."""
    with session(ctx, as_json) as s:
        items = s.api.models.list()
        s.show(items, tables.models(items))


@app.command()
def show(
    ctx: typer.Context,
    name: Name,
    version: Annotated[str, typer.Argument(help="A number, an alias or `latest`.")] = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Show a version: architecture, settings, data set, metrics, parity report and signature."""
    with session(ctx, as_json) as s:
        record = s.api.models.version(name, version)
        s.show(record, tables.details(record))


@app.command()
def versions(ctx: typer.Context, name: Name, as_json: JsonFlag = False) -> None:
    """List the versions of a model."""
    with session(ctx, as_json) as s:
        items = s.api.models.get(name)["versions"]
        s.show(items, tables.versions(items))


@app.command()
def download(
    ctx: typer.Context,
    name: Name,
    version: VersionOption = "latest",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to put it. (default: NAME.onnx)")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Save a version's ONNX file, checked against its SHA-256."""
    with session(ctx, as_json) as s:
        target = s.api.models.download(name, output or Path(f"{Path(name).name}.onnx"), version)
        s.show({"file": str(target)}, str(target))


@app.command()
def alias(
    ctx: typer.Context,
    name: Name,
    alias: Annotated[str, typer.Argument(help="Such as `production`.", show_default=False)],
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Let an alias name a version from now on."""
    with session(ctx, as_json) as s:
        record = s.api.models.version(name, version)
        model = s.api.models.set_alias(name, alias, record["version"])
        s.show(model, f"{alias} names version {record['version']} of {name}.")


@app.command()
def unalias(
    ctx: typer.Context,
    name: Name,
    alias: Annotated[str, typer.Argument(help="The alias to remove.", show_default=False)],
    as_json: JsonFlag = False,
) -> None:
    """Remove an alias; the version stays."""
    with session(ctx, as_json) as s:
        s.api.models.delete_alias(name, alias)
        s.show({"deleted": alias}, f"Removed {alias} from {name}.")
