"""Run the demo. Exit code 0 when every step worked, 1 when one did not, 130 on Ctrl-C.

State goes to SYLLABUS_HOME, by default a new directory under the system's temporary one; the gateway
listens on SYLLABUS_PORT or PORT, by default a free one.
"""

import os
import shlex
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.text import Text

from client.api import Syllabus
from client.demo.stack import ENDINGS, EmbeddedStack, free_port
from client.demo.story import Story, step
from client.errors import SyllabusError
from client.terminal import escape_lines


def main() -> int:
    """Start the stack, do the main job, stop the stack; returns the exit code."""
    # Digits are drawn with block characters, which not every output can encode.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    console = Console(highlight=False)
    home = Path(os.environ.get("SYLLABUS_HOME") or tempfile.mkdtemp(prefix="syllabus-demo-")).resolve()
    stack = EmbeddedStack(home, _port())
    try:
        run(console, stack)
    except KeyboardInterrupt:
        console.print("\nInterrupted; the stack is stopped.")
        return 130
    except Exception as error:
        console.print(Text(f"\nThe last lines of {stack.log}:", style="bold"))
        console.print(Text(escape_lines(stack.tail()), style="dim"), soft_wrap=True)
        if not isinstance(error, SyllabusError):
            raise
        console.print(Text("The demo failed: ", style="bold red") + Text(escape_lines(str(error))), soft_wrap=True)
        return 1
    return 0


def run(console: Console, stack: EmbeddedStack) -> None:
    """Tell the story on a stack of its own. Raises SyllabusError; the stack is stopped in any case."""
    console.print(Text("Syllabus: from a folder of labelled images to an ONNX endpoint", style="bold"))
    with ExitStack() as exits:
        with step(console, "Start the stack: broker, gateway, workers, sweeper"):
            exits.enter_context(stack)
            console.print(Text(f"   {stack.url}, with everything it keeps in {stack.home}"), soft_wrap=True)
        story = Story(console, exits.enter_context(Syllabus(stack.url)), stack.home)
        image = story.tell()
        with step(console, "Stop the stack"):
            exits.close()
    console.print()
    console.print(Text("What to try next", style="bold"))
    console.print(Text(next_steps(stack.home, story.model, story.dataset, image)), soft_wrap=True)


def next_steps(home: Path, model: str, dataset: str, image: Path) -> str:
    """Commands that go on from what the demo has made."""
    picture, syllabus = shlex.quote(str(image)), shlex.quote(_command())
    key = '-H "Authorization: Bearer $SYLLABUS_API_KEY" ' if os.environ.get("SYLLABUS_API_KEY") else ""
    return f"""\
   serve what was just trained:
      SYLLABUS_HOME={shlex.quote(str(home))} make run

   and then, in another terminal:
      curl {key}-H 'Content-Type: image/png' --data-binary @{picture} 'http://127.0.0.1:8000/v1/models/{model}/predict?top_k=3'
      {syllabus} predict {model} {picture}
      {syllabus} train lenet {dataset} --set dropout=0.2 --training epochs=20
      {syllabus} train mlp iris --training epochs=30
      {syllabus} --help

   its pages: http://127.0.0.1:8000/docs    to forget all of it: rm -r {shlex.quote(str(home))}"""


def _command() -> str:
    """How to call `syllabus` here: by its name when that is on the path, by its file otherwise."""
    script = Path(sys.executable).with_name("syllabus")
    if str(script.parent) in os.environ.get("PATH", "").split(os.pathsep) or not script.exists():
        return "syllabus"
    return os.path.relpath(script) if script.is_relative_to(Path.cwd()) else str(script)


def _port() -> int:
    chosen = os.environ.get("SYLLABUS_PORT") or os.environ.get("PORT")
    return int(chosen) if chosen else free_port()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End like Ctrl-C, so that the stack is stopped on every way out."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
