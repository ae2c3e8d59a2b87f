"""`syllabus models`."""

from pathlib import Path
from typing import Annotated

import typer

from client import tables
from client.cli.following import run_to_the_end
from client.cli.session import JsonFlag, session
from client.cli.values import assignments
from client.progress import UploadBar

app = typer.Typer(no_args_is_help=True, help="Register, look at, download, name and share traffic between models.")

Name = Annotated[str, typer.Argument(help="Name of a model.", show_default=False)]
VersionOption = Annotated[str, typer.Option("--version", help="A number, an alias or `latest`.")]


@app.command()
def register(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="FILE", help="An ONNX file.")],
    name: Annotated[str | None, typer.Option(help="Name of the model. (default: the file's)")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Return once it is sent, before it is examined.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Send an ONNX file of your own; it becomes the next version of a model if it can be served."""
    with session(ctx, as_json) as s:
        with UploadBar(s.err, f"upload {name or source.stem}") as bar:
            job = s.api.models.register(source, name or source.stem, on_progress=bar)
        run_to_the_end(s, job, detach=detach)


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
    variant: Annotated[str | None, typer.Option(help="A variant, such as int8. (default: the version's file)")] = None,
    graph: Annotated[str | None, typer.Option(help="Another graph, such as decoder. (default: the main one)")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to put it. (default: NAME.onnx)")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Save the ONNX file of a version, of its variant or of another of its graphs, checked against its SHA-256."""
    target = output or Path(f"{Path(name).name}.onnx")
    with session(ctx, as_json) as s:
        target = s.api.models.download(name, target, version, variant=variant, graph=graph)
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


@app.command("default-variant")
def default_variant(
    ctx: typer.Context,
    name: Name,
    variant: Annotated[str | None, typer.Argument(help="Such as int8; without one, the version's own file.")] = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Choose the variant of a version that is served when a request names none."""
    with session(ctx, as_json) as s:
        record = s.api.models.set_default_variant(name, variant, version)
        s.show(record, f"Version {record['version']} of {name} serves {variant or 'its own file'}.")


@app.command()
def traffic(
    ctx: typer.Context,
    name: Name,
    weights: Annotated[list[str] | None, typer.Argument(metavar="VERSION=WEIGHT", help="Such as 1=0.9 2=0.1.")] = None,
    shadow: Annotated[int | None, typer.Option(help="A version that is asked beside, for comparison.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Share requests that name no version between versions; without weights the latest answers all."""
    with session(ctx, as_json) as s:
        if weights:
            model = s.api.models.set_traffic(name, assignments(weights, "VERSION=WEIGHT"), shadow=shadow)
        else:
            s.api.models.delete_traffic(name)
            model = s.api.models.get(name)
        s.show(model, tables.details({"traffic": model["traffic"] or "all to the latest version"}))
