"""`syllabus jobs`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from client import cells, results, tables
from client.cli.following import follow_to_the_end, show_end
from client.cli.session import JsonFlag, print_json_line, session
from client.terminal import escape, escape_lines

app = typer.Typer(no_args_is_help=True, help="Look at, follow and steer jobs.")

JobId = Annotated[str, typer.Argument(metavar="ID", help="Id of a job.", show_default=False)]


@app.command("list")
def list_jobs(
    ctx: typer.Context,
    kind: Annotated[str | None, typer.Option(help="Only this kind: ingest, train, cross_validate ...")] = None,
    state: Annotated[str | None, typer.Option(help="Only this state: queued, running, succeeded ...")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List jobs, the newest first."""
    with session(ctx, as_json) as s:
        items = s.api.jobs.list(kind=kind, state=state, limit=limit)
        s.show(items, tables.jobs(items))


@app.command()
def show(ctx: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Show a job: state, progress, request, result or error."""
    with session(ctx, as_json) as s:
        job = s.api.jobs.get(job_id)
        s.show(job, tables.details(job))


@app.command()
def events(
    ctx: typer.Context,
    job_id: JobId,
    after: Annotated[str | None, typer.Option(help="Begin after the event with this id.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Print a job's events as they happen, to its end; with --json one JSON object a line."""
    with session(ctx, as_json) as s:
        for event in s.api.jobs.events(job_id, after=after):
            if as_json:
                print_json_line({"id": event.id, "type": event.type, "data": event.data})
            else:
                fields = "  ".join(f"{key}={cells.number(value)}" for key, value in event.data.items())
                s.out.print(Text(escape(f"{event.id:>6}  {event.type:<8}  {fields}")), soft_wrap=True)


@app.command()
def logs(ctx: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Print a job's log."""
    with session(ctx, as_json) as s:
        if as_json:
            items = s.api.jobs.log_entries(job_id)
            s.show(items, "")
        elif text := s.api.jobs.logs(job_id):
            s.out.print(Text(escape_lines(text.rstrip("\n"))), soft_wrap=True)


@app.command()
def metrics(ctx: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Summarise a job's metric series; with --json every point."""
    with session(ctx, as_json) as s:
        series = s.api.jobs.metrics(job_id)
        s.show(series, results.series(series))


@app.command()
def artifacts(
    ctx: typer.Context,
    job_id: JobId,
    name: Annotated[str | None, typer.Argument(help="Download this one instead of listing.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Where to put it. (default: NAME)")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the files that a job left, or download one, checked against its SHA-256."""
    with session(ctx, as_json) as s:
        if name is None:
            items = s.api.jobs.artifacts(job_id)
            s.show(items, tables.artifacts(items))
        else:
            target = s.api.jobs.download(job_id, name, output or Path(Path(name).name))
            s.show({"file": str(target)}, str(target))


@app.command()
def cancel(ctx: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Ask a job to end; what it has done is thrown away."""
    with session(ctx, as_json) as s:
        job = s.api.jobs.cancel(job_id)
        s.show(job, f"{job_id} is {job['state']}.")


@app.command()
def pause(ctx: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Ask a job to save a checkpoint and stop for now."""
    with session(ctx, as_json) as s:
        job = s.api.jobs.pause(job_id)
        s.show(job, f"{job_id} is {job['state']}.")


@app.command()
def resume(ctx: typer.Context, job_id: JobId, as_json: JsonFlag = False) -> None:
    """Queue a paused job again; it goes on from its checkpoint."""
    with session(ctx, as_json) as s:
        job = s.api.jobs.resume(job_id)
        s.show(job, f"{job_id} is {job['state']}.")


@app.command()
def wait(
    ctx: typer.Context,
    job_id: JobId,
    timeout: Annotated[
        float | None, typer.Option(min=0, help="Give up after so many seconds, without a progress bar.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Follow a job to its end; exit code 1 if it does not succeed."""
    with session(ctx, as_json) as s:
        job = s.api.jobs.get(job_id)
        show_end(s, follow_to_the_end(s, job) if timeout is None else s.api.jobs.wait(job_id, timeout))
