"""The `syllabus` command: its global options, groups and commands."""

import sys
from typing import Annotated

import typer
from rich.console import Group
from rich.text import Text

from client import tables
from client.api import DEFAULT_URL
from client.cli import datasets, diagnosis, fits, generation, jobs, models, searches, work
from client.cli.session import JsonFlag, session
from client.terminal import escape

# One line a paragraph: the help breaks lines to the terminal's width.
EPILOG = "\n\n".join(
    (
        "Exit codes: 0 ok; 1 the job failed, was cancelled or was not done in time; 2 wrong usage; "
        "3 the service refused the request (4xx); 4 the service cannot be reached or failed (5xx); "
        "130 interrupted by Ctrl-C.",
        "The environment variable SYLLABUS_API_KEY holds the key of a service that wants one.",
        "Results go to standard output; progress and errors go to standard error.",
    )
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(datasets.app, name="datasets")
app.add_typer(jobs.app, name="jobs")
app.add_typer(models.app, name="models")


# The key is read from the environment alone: arguments show in every list of processes.
@app.callback(epilog=EPILOG)
def options(
    ctx: typer.Context,
    url: Annotated[str, typer.Option(envvar="SYLLABUS_URL", help="Address of the service.")] = DEFAULT_URL,
) -> None:
    """Train, evaluate and serve the models of a Syllabus service."""
    ctx.obj = url


@app.command()
def architectures(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(help="Show this one and its hyperparameters.")] = None,
    task: Annotated[str | None, typer.Option(help="Only those for this task.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the architectures that can be trained, or show one."""
    with session(ctx, as_json) as s:
        if name is None:
            items = s.api.architectures(task)
            s.show(items, tables.architectures(items))
            return
        record = s.api.architecture(name)
        about = Text(escape(f"{record['title']}. {record.get('paper') or ''}"))
        s.show(record, Group(about, tables.hyperparameters(record["hyperparameters"])))


@app.command()
def system(ctx: typer.Context, as_json: JsonFlag = False) -> None:
    """Show the service's version, devices and workers."""
    with session(ctx, as_json) as s:
        record = s.api.system()
        s.show(record, tables.details(record))


for command in (
    work.train,
    work.evaluate,
    work.infer,
    work.optimize,
    work.explain,
    work.predict,
    generation.generate,
    generation.encode,
    generation.decode,
    generation.reconstruct,
    generation.interpolate,
    generation.anomaly,
    fits.cross_validate,
    fits.learning_curve,
    fits.validation_curve,
    fits.bias_variance,
    searches.search,
    searches.trials,
    diagnosis.baseline,
    diagnosis.diagnose,
):
    app.command()(command)


def main() -> None:
    """Run the command line and exit."""
    for output in (sys.stdout, sys.stderr):
        # Names and bars hold characters that not every output can encode.
        output.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app(prog_name="syllabus")
