"""A terminal to draw on."""

from rich.console import Console, RenderableType


def drawn(renderable: RenderableType) -> str:
    """What a terminal of 160 columns shows."""
    console = Console(width=160, force_terminal=False)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()
