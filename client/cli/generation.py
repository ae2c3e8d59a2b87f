"""`syllabus generate`, `encode`, `decode`, `reconstruct`, `interpolate` and `anomaly`."""

import base64
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from client import samples
from client.cli.session import JsonFlag, Session, session
from client.cli.values import rows
from client.generation import End, Form, Method
from client.terminal import escape_lines

Model = Annotated[str, typer.Argument(help="Name of a model.", show_default=False)]
Images = Annotated[list[Path] | None, typer.Argument(exists=True, dir_okay=False, help="Image files.")]
Rows = Annotated[str | None, typer.Option("--rows", metavar="JSON", help="Rows of features: '[[5.1, 3.5, 1.4, 0.2]]'.")]
VersionOption = Annotated[str, typer.Option("--version", help="A number, an alias or `latest`.")]
Label = Annotated[str | None, typer.Option(help="The class, for a conditional model.")]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="A sheet (NAME.png), an archive (NAME.zip), or a folder.")
]
FORMS: dict[str, Form] = {".png": "png", ".zip": "zip"}


def generate(
    ctx: typer.Context,
    model: Model,
    n: Annotated[int | None, typer.Option("-n", min=1, help="How many samples.", show_default="16")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The same seed gives the same samples.")] = None,
    label: Annotated[list[str] | None, typer.Option(help="The class; one for each sample if repeated.")] = None,
    temperature: Annotated[float, typer.Option(help="Of codes or tokens: near 0, the likeliest; up to 10.")] = 1.0,
    start: Annotated[str | None, typer.Option(help="Of texts: what each begins with.")] = None,
    top_k: Annotated[int | None, typer.Option(min=1, help="Of texts: the most probable tokens alone.")] = None,
    top_p: Annotated[float | None, typer.Option(help="Of texts: those that have this probability together.")] = None,
    max_length: Annotated[int | None, typer.Option(min=1, help="Of texts: characters or words at most.")] = None,
    stream: Annotated[bool, typer.Option("--stream", help="Of texts: one, printed as it is written.")] = False,
    output: Output = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Draw samples, or have texts written."""
    if stream and (n is not None or output is not None):
        raise typer.BadParameter("prints one text; leave out -n and -o", param_hint="--stream")
    chosen = label[0] if label and len(label) == 1 else label
    given: dict[str, Any] = {"start": start, "top_k": top_k, "top_p": top_p, "max_length": max_length}
    writing = {name: value for name, value in given.items() if value is not None}
    with session(ctx, as_json) as s:
        if stream:
            options: dict[str, Any] = {
                "seed": seed,
                "label": chosen,
                "temperature": temperature,
                "version": version,
                **writing,
            }
            _print_as_written(s, start or "", s.api.models.write(model, **options))
            return
        _show(
            s,
            output,
            lambda form: s.api.models.generate(
                model, n or 16, seed=seed, label=chosen, temperature=temperature, version=version, form=form, **writing
            ),
        )


def encode(
    ctx: typer.Context,
    model: Model,
    images: Images = None,
    rows_: Rows = None,
    label: Label = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A JSON file, which `decode` reads.")] = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Code image files or rows."""
    inputs = _inputs(images, rows_)
    with session(ctx, as_json) as s:
        answer = s.api.models.encode(model, inputs, label=label, version=version)
        if output is not None:
            output.write_text(json.dumps({"codes": answer["codes"]}))
            s.note(f"{len(answer['codes'])} codes are in {output}.")
        s.show(answer, samples.codes(answer["codes"]))


def decode(
    ctx: typer.Context,
    model: Model,
    codes: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JSON file that `encode` has written.")],
    label: Label = None,
    output: Output = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Make samples of codes again."""
    listed = _codes(codes)
    with session(ctx, as_json) as s:
        _show(s, output, lambda form: s.api.models.decode(model, listed, label=label, version=version, form=form))


def reconstruct(
    ctx: typer.Context,
    model: Model,
    images: Images = None,
    rows_: Rows = None,
    label: Label = None,
    output: Output = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Code image files or rows and make them again, which takes away noise and fills in what is missing."""
    inputs = _inputs(images, rows_)
    with session(ctx, as_json) as s:
        _show(s, output, lambda form: s.api.models.reconstruct(model, inputs, label=label, version=version, form=form))


def interpolate(
    ctx: typer.Context,
    model: Model,
    start: Annotated[str, typer.Argument(metavar="FROM", help="A seed, an image file, or a code or row as JSON.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="The same.")],
    steps: Annotated[int, typer.Option(min=2, help="Samples on the path, both ends included.")] = 8,
    spherical: Annotated[bool, typer.Option("--spherical", help="Along the great circle, not the line.")] = False,
    label: Label = None,
    output: Output = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Draw the samples on the path between two seeds, codes or inputs."""
    method: Method = "spherical" if spherical else "linear"
    ends = _end(start, "FROM"), _end(end, "TO")
    with session(ctx, as_json) as s:
        _show(
            s,
            output,
            lambda form: s.api.models.interpolate(
                model, *ends, steps=steps, method=method, label=label, version=version, form=form
            ),
        )


def anomaly(
    ctx: typer.Context,
    model: Model,
    images: Images = None,
    rows_: Rows = None,
    label: Label = None,
    version: VersionOption = "latest",
    as_json: JsonFlag = False,
) -> None:
    """Say how unusual image files or rows are, and which are anomalies."""
    inputs = _inputs(images, rows_)
    names = [path.name for path in images] if images else [str(index) for index in range(len(inputs))]
    with session(ctx, as_json) as s:
        answer = s.api.models.anomaly(model, inputs, label=label, version=version)
        s.show(answer, samples.anomalies(names, answer["anomalies"]))


def _inputs(images: Sequence[Path] | None, text: str | None) -> list[Any]:
    if bool(images) == (text is not None):
        raise typer.BadParameter("give image files or --rows, not both", param_hint="IMAGES")
    return list(images or []) or rows(text or "")


def _codes(path: Path) -> list[Any]:
    try:
        given = json.loads(path.read_text())
    except ValueError as error:
        raise typer.BadParameter(f"{path} is not JSON: {error}", param_hint="CODES") from error
    listed = given.get("codes") if isinstance(given, dict) else None
    if not isinstance(listed, list):
        raise typer.BadParameter(f"{path} has no list `codes`", param_hint="CODES")
    return listed


def _end(text: str, option: str) -> End:
    if text.isdecimal():
        return int(text)
    if (path := Path(text)).is_file():
        return path
    try:
        value = json.loads(text)
    except ValueError:
        raise typer.BadParameter("neither a seed, nor a file, nor JSON", param_hint=option) from None
    if not isinstance(value, list | dict):
        raise typer.BadParameter("a code is a list of numbers, a row a list or an object", param_hint=option)
    return value


def _print_as_written(s: Session, start: str, pieces: Iterator[dict[str, Any]]) -> None:
    """Print one text piece by piece; with --json, one line for each of what has come."""
    if s.as_json:
        for piece in pieces:
            typer.echo(json.dumps(piece))
        return
    typer.echo(escape_lines(start), nl=False)
    for piece in pieces:
        if "index" in piece:
            typer.echo(escape_lines(piece["text"]), nl=False)
            sys.stdout.flush()
    typer.echo()


def _show(s: Session, output: Path | None, ask: Callable[[Form], Any]) -> None:
    """Save samples where they are wanted, or say what they are."""
    form = FORMS.get(output.suffix.lower(), "json") if output is not None else "json"
    if output is not None and form != "json":
        output.write_bytes(ask(form))
        s.show({"file": str(output)}, str(output))
        return
    answer = ask("json")
    if output is not None:
        s.note(f"{_save(answer, output)} files are in {output}.")
    s.show(answer, samples.described(answer))


def _save(answer: dict[str, Any], folder: Path) -> int:
    """Write each image as a PNG file under its number; rows as one JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = samples.images(answer)
    if not texts:
        (folder / "rows.json").write_text(json.dumps(answer))
        return 1
    digits = len(str(len(texts) - 1))
    for index, text in enumerate(texts):
        (folder / f"{index:0{digits}d}.png").write_bytes(base64.b64decode(text))
    return len(texts)
