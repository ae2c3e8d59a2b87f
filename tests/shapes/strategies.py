"""Lists of layers that fit, drawn at random."""

from typing import Any

from hypothesis import strategies as st

from shapes.fitting import Misfit, Shape
from shapes.network import read, walk

_CHANNELS = st.sampled_from([2, 4, 6])
_SMALL = st.integers(1, 3)
_WINDOW = {"channels": _CHANNELS, "kernel": _SMALL, "stride": _SMALL, "padding": st.integers(0, 2)}
_MODE = st.sampled_from(["max", "average"])


def _kind(name: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(name), **fields})


LAYER = st.one_of(
    _kind("convolution", **_WINDOW, dilation=_SMALL, groups=st.sampled_from([1, 2]), bias=st.booleans()),
    _kind("tiled_convolution", **_WINDOW, tiles=_SMALL, bias=st.booleans()),
    _kind("transposed_convolution", **_WINDOW, output_padding=st.integers(0, 2), dilation=_SMALL),
    _kind("pooling", mode=_MODE, kernel=_SMALL, stride=st.none() | _SMALL, padding=st.integers(0, 1)),
    _kind("global_pooling", mode=_MODE),
    _kind("batch_norm"),
    _kind("group_norm", groups=st.sampled_from([1, 2])),
    _kind("activation", function=st.sampled_from(["relu", "prelu", "softmax"])),
    _kind("dropout"),
    _kind("dense", units=_CHANNELS),
    _kind("addition", source=st.integers(0, 6)),
    _kind("concatenation", source=st.integers(0, 6)),
)


@st.composite
def fitting_lists(draw: st.DrawFn, image: Shape) -> list[dict[str, Any]]:
    """Up to a dozen layers for this image, of those drawn the ones that fit."""
    chosen: list[dict[str, Any]] = []
    for layer in draw(st.lists(LAYER, min_size=1, max_size=12)):
        try:
            walk(read([*chosen, layer]), image, 10)
        except Misfit:
            continue
        chosen.append(layer)
    return chosen or [{"type": "activation"}]
