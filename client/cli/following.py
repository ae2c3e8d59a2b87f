"""Following a job to its end, and what a command makes of that end."""

from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from client import evaluations, results, searches, tables
from client.cli.session import ExitCode, Session, details_of
from client.progress import follow

Json = dict[str, Any]


def follow_to_the_end(s: Session, job: Json) -> Json:
    """Show the job's progress on stderr until it ends and return its final record.

    Ctrl-C stops the following, not the job: it says how to go on, and leaves with INTERRUPTED.
    """
    job_id = job["id"]
    try:
        follow(s.err, s.api.jobs.events(job_id), str(job["kind"]))
        return s.api.jobs.get(job_id)
    except KeyboardInterrupt:
        s.note(
            f"\nDetached; job {job_id} goes on.\n"
            f"  follow it again   syllabus jobs wait {job_id}\n"
            f"  cancel it         syllabus jobs cancel {job_id}"
        )
        raise typer.Exit(ExitCode.INTERRUPTED) from None


def run_to_the_end(s: Session, job: Json, *, detach: bool, output: Path | None = None) -> None:
    """Follow a job just submitted, show its result and save its files to `output`; with `detach` only name it."""
    if detach:
        s.show(job, job["id"])
        s.note(f"Submitted; follow it with: syllabus jobs wait {job['id']}")
        return
    show_end(s, follow_to_the_end(s, job))
    if output is not None:
        s.note(f"{len(s.api.jobs.download_all(job['id'], output))} files are in {output}.")


def show_end(s: Session, job: Json) -> None:
    """Show what a job came to. Leaves with NOT_SUCCEEDED unless it succeeded."""
    if s.as_json:
        s.show(job, "")
    elif job["state"] == "succeeded":
        _show_result(s, job)
        if job["kind"] == "search":
            s.out.print(searches.findings(job["result"]))
    if job["state"] == "succeeded":
        return
    if job["state"] == "failed":
        s.note(f"Job {job['id']} failed: {details_of(job.get('error'))}")
    else:
        s.note(f"Job {job['id']} was {job['state']}.")
    raise typer.Exit(ExitCode.NOT_SUCCEEDED)


def _show_result(s: Session, job: Json) -> None:
    result: Json = dict(job.get("result") or {})
    test, baseline = result.pop("metrics", None), result.pop("baseline", None)
    validation = result.pop("validation", None)
    # Matrices and curves are for programs: --json, or the report among the job's artifacts.
    s.out.print(tables.details({key: value for key, value in result.items() if not isinstance(value, list | dict)}))
    if variants := result.get("variants"):
        s.out.print(results.variants(variants))
    if baselines := result.get("baselines"):
        draw = results.baselines if job["kind"] == "baseline" else results.standing
        s.out.print(draw(baselines))
    if checks := result.get("checks"):
        s.out.print(results.checks(checks))
    if pictures := result.get("artifacts"):
        s.out.print(results.pictures(pictures))
    if curves := result.get("curves"):
        s.out.print(results.curves(result.get("sizes") or result["values"], curves))
    columns = {"test": test, "validation": validation, "random baseline": baseline}
    if job["kind"] == "cross_validate":
        s.out.print(results.estimates(test))
    elif test:
        s.out.print(results.metrics({name: column for name, column in columns.items() if column}))
    for each in evaluations.drawn(result):
        s.out.print(each, soft_wrap=isinstance(each, Text))
    if verdict := result.get("verdict"):
        s.out.print(results.verdict(verdict), soft_wrap=True)
