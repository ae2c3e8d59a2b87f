"""Codes: drawn from a seed, read from a request, and the path between two of them. float32 (N, D) throughout.

A seed is the key of a counter-based generator (Salmon et al. 2011, "Parallel Random Numbers: As Easy as 1, 2, 3"),
so that seeds are independent streams and the first rows of a larger draw are those of a smaller one. For the event
loop: there is one generator for all.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from services.errors import FieldError, Invalid
from services.serving.inputs import FLOAT32_MAX

CODES, CLASSES, TOKENS = 0, 1, 2
"""Streams of a seed, so that what is drawn of one is independent of the others."""
ALIKE = 1e-6
"""Codes whose directions differ by a smaller angle are joined by a straight line."""


class _Streams:
    """A generator that is set to the beginning of a stream; to make a new one each time would take longer than to draw.

    Not for two threads at once.
    """

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=0)
        self._generator = np.random.Generator(self._bits)
        self._beginning = self._bits.state

    def at(self, seed: int, stream: int, row: int = 0) -> np.random.Generator:
        """At the beginning; each row's numbers are its own, 2^64 blocks of the counter apart."""
        self._beginning["state"]["key"][:] = seed, stream
        self._beginning["state"]["counter"][:] = 0, row, 0, 0
        self._bits.state = self._beginning
        return self._generator


_streams = _Streams()


def draw(seed: int, n: int, size: int, temperature: float = 1.0) -> np.ndarray:
    """`n` codes of `size` numbers from a normal distribution with the standard deviation `temperature`."""
    codes: np.ndarray = _streams.at(seed, CODES).standard_normal((n, size), np.float32)
    return codes if temperature == 1 else codes * np.float32(temperature)


def draw_classes(seed: int, n: int, num_classes: int) -> np.ndarray:
    """int64 (n,): all classes equally often, as far as that divides, in an order that the seed decides."""
    generator = _streams.at(seed, CLASSES)
    return np.concatenate([generator.permutation(num_classes) for _ in range(-(-n // num_classes))])[:n]


def draw_tokens(seed: int, row: int, count: int) -> np.ndarray:
    """float64 (count,) from [0, 1): what decides a text's tokens, of one text and its first ones whatever the count."""
    return _streams.at(seed, TOKENS, row).random(count)


def read(rows: Sequence[Any], size: int, field: str) -> np.ndarray:
    """Codes out of JSON. Raises `Invalid` naming the field, unless each is `size` finite numbers."""
    loc: list[str | int] = ["body", field]
    try:
        codes = np.asarray(rows)
    except (ValueError, OverflowError):
        raise _wrong(loc, f"the codes differ in length; each is {size} numbers") from None
    if codes.shape != (len(rows), size) or codes.dtype.kind not in "iuf":
        given = " x ".join(map(str, codes.shape))
        raise _wrong(loc, f"expected {len(rows)} x {size} numbers, a code of {size} for each sample; got {given}")
    if (np.abs(codes) > FLOAT32_MAX).any():  # what is not finite is no JSON
        index = int(np.flatnonzero((np.abs(codes) > FLOAT32_MAX).any(axis=1))[0])
        raise _wrong([*loc, index], "a number is too large for float32")
    return codes.astype(np.float32)


def path(start: np.ndarray, end: np.ndarray, steps: int, method: Literal["linear", "spherical"]) -> np.ndarray:
    """`steps` codes from `start` to `end`, float32 (D,), which are the first and the last of them.

    Spherical: along the great circle (Shoemake 1985), on which codes of a normal prior keep their length, so that
    samples in between are as likely as at the ends (White 2016, "Sampling Generative Networks"). What is too large for
    float32 is infinite.
    """
    t = np.linspace(0.0, 1.0, steps)[:, None]
    first, last = start.astype(np.float64), end.astype(np.float64)
    angle = _angle(first, last) if method == "spherical" else 0.0
    if ALIKE < angle < np.pi - ALIKE:
        codes: np.ndarray = (np.sin((1 - t) * angle) * first + np.sin(t * angle) * last) / np.sin(angle)
    else:
        codes = (1 - t) * first + t * last
    codes[0], codes[-1] = first, last
    with np.errstate(over="ignore"):
        return codes.astype(np.float32)


def _angle(first: np.ndarray, last: np.ndarray) -> float:
    """Between two vectors, in radians; 0 if one has no direction."""
    lengths = float(np.linalg.norm(first) * np.linalg.norm(last))
    return float(np.arccos(np.clip(first @ last / lengths, -1.0, 1.0))) if lengths else 0.0


def _wrong(loc: Sequence[str | int], msg: str) -> Invalid:
    place = ".".join(map(str, loc[1:]))
    wrong: FieldError = {"loc": list(loc), "msg": msg}
    return Invalid("code_invalid", f"{place}: {msg}", [wrong])
