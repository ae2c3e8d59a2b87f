"""Looking at the layers of a network while it runs."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

See = Callable[[str, nn.Module, tuple[Any, ...], Any], None]
"""Takes a layer's name, the layer, its inputs and its output."""


@contextmanager
def watched(layers: Iterable[tuple[str, nn.Module]], see: See) -> Iterator[None]:
    """While it lasts, `see` is called whenever one of the named layers has run; afterwards never, even on an error."""

    def hook_of(name: str) -> Callable[[nn.Module, tuple[Any, ...], Any], None]:
        return lambda layer, inputs, output: see(name, layer, inputs, output)

    handles = [layer.register_forward_hook(hook_of(name)) for name, layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
