"""Whether a layer fits its input, and the message where it does not."""

from shapes.sizes import slid

Shape = tuple[int, ...]
"""(channels, height, width), or (features,)."""


class Misfit(ValueError):
    """A layer that cannot stand where it does; the message names the shapes and the remedy.

    `layer` is its place in the list, if it is one of the list's.
    """

    layer: int | None = None


def written(shape: Shape) -> str:
    """A shape for people: `16×4×4`."""
    return "×".join(map(str, shape))


def maps_of(kind: str, shape: Shape) -> tuple[int, int, int]:
    """The shape as channels, height and width. Raises `Misfit` for features."""
    if len(shape) != 3:
        raise Misfit(f"{kind} takes maps and its input is {shape[0]} features; put it before the dense layers")
    channels, height, width = shape
    return channels, height, width


def require_divided(in_channels: int, out_channels: int, groups: int) -> None:
    """Raise `Misfit` unless the groups are alike on both sides."""
    if in_channels % groups or out_channels % groups:
        raise Misfit(f"groups {groups} must divide its input's {in_channels} channels and its own {out_channels}")


def slid_sides(
    kind: str, maps: tuple[int, int, int], kernel: int, stride: int, padding: int, dilation: int = 1
) -> tuple[int, int]:
    """The height and width that a window leaves of the maps. Raises `Misfit` where it does not fit into them."""
    height, width = (slid(side, kernel, stride, padding, dilation) for side in maps[1:])
    if min(height, width) < 1:
        window = f"{kind} {kernel}×{kernel}" + (f" with dilation {dilation}" if dilation > 1 else "")
        padded = f" padded by {padding}" if padding else ""
        raise Misfit(
            f"{window} does not fit its input {written(maps)}{padded}; use a smaller kernel, padding or fewer poolings"
        )
    return height, width
