"""What every command shares: the service it talks to, how it prints, and how it ends."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console, RenderableType
from rich.text import Text

from client.api import Syllabus
from client.errors import ApiError, SyllabusError, WaitTimeout
from client.terminal import escape, escape_lines


class ExitCode(IntEnum):
    """How a command ends; `syllabus --help` lists these."""

    OK = 0
    NOT_SUCCEEDED = 1
    USAGE = 2
    REFUSED = 3
    UNAVAILABLE = 4
    INTERRUPTED = 130


JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


class Session:
    """One command's connection and its two outputs: results go to stdout, everything else to stderr."""

    def __init__(self, api: Syllabus, *, as_json: bool) -> None:
        self.api = api
        self.as_json = as_json
        # Without a terminal there is no width to fit, and a reader that splits lines wants them whole.
        self.out = Console(width=None if sys.stdout.isatty() else 200)
        self.err = Console(stderr=True)

    def show(self, value: object, rendered: RenderableType) -> None:
        """Print a result: `value` with --json, `rendered` otherwise."""
        if self.as_json:
            print_json(value)
        else:
            self.out.print(Text(escape_lines(rendered)) if isinstance(rendered, str) else rendered)

    def note(self, message: str) -> None:
        """Tell the user something that is not the result."""
        self.err.print(Text(escape_lines(message)), soft_wrap=True)


@contextmanager
def session(ctx: typer.Context, as_json: bool) -> Iterator[Session]:
    """Open the session of a command; an error inside ends the command with its message and exit code."""
    try:
        with Syllabus(ctx.obj) as api:
            yield Session(api, as_json=as_json)
    except ApiError as error:
        code = ExitCode.REFUSED if error.refused else ExitCode.UNAVAILABLE
        _end(str(error), code, as_json, error.problem())
    except WaitTimeout as error:
        _end(str(error), ExitCode.NOT_SUCCEEDED, as_json, {"code": "wait_timeout", "detail": str(error)})
    except SyllabusError as error:
        _end(str(error), ExitCode.UNAVAILABLE, as_json, {"code": "service_unreachable", "detail": str(error)})
    except BrokenPipeError:
        raise  # the reader of stdout has left; typer ends quietly
    except (OSError, httpx.InvalidURL) as error:
        _end(str(error), ExitCode.USAGE, as_json, {"code": "usage", "detail": str(error)})


def print_json(value: object) -> None:
    """Print JSON in ASCII, in which no control character survives, on standard output."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def print_json_line(value: object) -> None:
    """Print one line of NDJSON at once, for a reader that follows."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def details_of(error: Mapping[str, Any] | None) -> str:
    """A job's or data set's `error` as one line."""
    return escape(f"{error.get('code')}: {error.get('detail')}") if error else "no cause was recorded"


def _end(message: str, code: ExitCode, as_json: bool, problem: Mapping[str, Any]) -> None:
    """Report an error on stderr, as JSON with --json, and leave."""
    if as_json:
        sys.stderr.write(json.dumps({"error": problem}) + "\n")
    else:
        console = Console(stderr=True)
        console.print(Text("error: ", style="bold red") + Text(escape_lines(message)), soft_wrap=True)
    raise typer.Exit(code)
