"""What a request asks for, and the way from there to a call that can be run.

`begin` gives the call if nothing has to be read, loaded or run for it first, else None; `prepare` gives it in any case.
Both raise `NotFound`, `Unavailable`, `Conflict` (`call_unsupported`, with what the version can do) and `Invalid`;
`prepare` also `DeadlineExceeded` and `TooManyRequests`.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Any, Protocol

import numpy as np

from services.errors import Invalid
from services.requests.generation import DecodeRequest, GenerateRequest, InterpolateRequest, Labels
from services.serving import given
from services.serving.batch import answer_of
from services.serving.calls import Call, Found
from services.serving.generation import classes, codes
from services.serving.generation.calls import ROWS_A_RUN, SEEDS, CodedCall
from services.serving.generation.texts import TextCall
from services.serving.given import Given
from services.serving.model import ENCODER
from services.serving.predictions import Predictor, Wish

MAX_SAMPLE_BYTES = 32 * 2**20
"""Of the pixels or numbers of all samples in one answer."""
NUMBER_BYTES = 8
OF_TEXTS = frozenset({"start", "top_k", "top_p", "max_length"})
TAKES = ("n", "seed", "label", "temperature", "z")


class Asked(Protocol):
    """One request's wish."""

    def begin(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | None:
        """The call, if it can be had at once."""

    async def prepare(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | TextCall:
        """The call."""


class Generating:
    """Samples of whichever kind the version makes: texts, which are written step by step, or what codes stand for."""

    def __init__(self, request: GenerateRequest) -> None:
        self._request = request

    def begin(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | None:
        """See `Asked`."""
        found = predictor.ready(name, wish)
        return None if found is None or found.model.writes else Sampling(self._request).begun(found, wish)

    async def prepare(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | TextCall:
        """See `Asked`."""
        found = await predictor.find(name, wish)
        if found.model.writes:
            return TextCall.of(self._request, found, wish)
        return await Sampling(self._request).prepared(predictor, found, wish)


class Sampling:
    """Samples of codes: drawn, or given."""

    def __init__(self, request: GenerateRequest | DecodeRequest) -> None:
        self._request = request
        self._given = request.z if isinstance(request, GenerateRequest) else request.codes
        self._rows = (
            request.n if isinstance(request, GenerateRequest) and self._given is None else len(self._given or ())
        )

    def begin(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | None:
        """See `Asked`."""
        found = predictor.ready(name, wish)
        return None if found is None else self.begun(found, wish)

    def begun(self, found: Found, wish: Wish) -> CodedCall | None:
        """The call of the version that was found, if it has few rows."""
        if self._rows > ROWS_A_RUN:
            return None
        started_at = time.monotonic()
        return self._call(found, wish, self._read(found), started_at)

    async def prepare(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall:
        """See `Asked`."""
        return await self.prepared(predictor, await predictor.find(name, wish), wish)

    async def prepared(self, predictor: Predictor, found: Found, wish: Wish) -> CodedCall:
        """The call of the version that was found. Many codes are read on a thread."""
        started_at = time.monotonic()
        num_bytes = sum(NUMBER_BYTES * len(row) for row in self._given or () if isinstance(row, list))
        return self._call(found, wish, await predictor.aside(num_bytes, self._read, found), started_at)

    def _read(self, found: Found) -> np.ndarray | None:
        """The codes that are given, if any are."""
        request, rows = self._request, self._rows
        if isinstance(request, DecodeRequest):
            _check_size(found, rows, "codes")
            return codes.read(request.codes, _generative(found)["code"], "codes")
        for field in sorted(OF_TEXTS & request.model_fields_set):
            msg = f"this model writes no texts; it takes {', '.join(TAKES)}"
            raise Invalid.field("field_unexpected", ["body", field], msg)
        if "n" in request.model_fields_set and rows != request.n:
            raise Invalid.field("n_differs", ["body", "n"], f"n is {request.n} and z has {rows} codes; leave n out")
        _check_size(found, rows, "n")
        return None if request.z is None else codes.read(request.z, _generative(found)["code"], "z")

    def _call(self, found: Found, wish: Wish, read: np.ndarray | None, started_at: float) -> CodedCall:
        if isinstance(self._request, GenerateRequest):
            feeds, told = _generated(self._request, found, self._rows, read)
        else:
            assert read is not None  # noqa: S101 - codes are never left out
            feeds, told = _feeds(read, classes.read(self._request.label, self._rows, _generative(found))), {}
        seconds = time.monotonic() - started_at
        return CodedCall(found, feeds, self._rows, wish.deadline, wish.priority, wish.call, told, seconds)


def _generated(
    request: GenerateRequest, found: Found, n: int, read: np.ndarray | None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    generative = _generative(found)
    seed = secrets.randbelow(SEEDS) if request.seed is None else request.seed
    drawn = codes.draw(seed, n, generative["code"], request.temperature) if read is None else read
    chosen = classes.chosen(request.label, n, seed, generative)
    names = None if chosen is None else [generative["classes"][place] for place in chosen.tolist()]
    return _feeds(drawn, chosen), {"seed": seed, "z": drawn, "labels": names}


class Looking:
    """Something said of each input: its code, its reconstruction, or how unusual it is."""

    def __init__(self, inputs: Given, label: Labels | None) -> None:
        self._inputs = inputs
        self._label = label

    def begin(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | None:
        """See `Asked`."""
        begun = predictor.begin_decode(name, wish, self._inputs)
        if begun is None:
            return None
        found, decoding = begun
        if decoding.rows > ROWS_A_RUN:
            return None
        chosen = self._chosen(found, decoding.rows)
        started_at = time.monotonic()
        return self._call(found, wish, decoding.feeds(), chosen, time.monotonic() - started_at)

    async def prepare(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall:
        """See `Asked`."""
        found = await predictor.find(name, wish)
        decoding = await predictor.opened(found, self._inputs)
        chosen = self._chosen(found, decoding.rows)
        feeds, seconds = await predictor.decode(found, wish, self._inputs, decoding)
        return self._call(found, wish, feeds, chosen, seconds)

    def _chosen(self, found: Found, rows: int) -> np.ndarray | None:
        if found.model.graph != ENCODER:
            _check_size(found, rows, "inputs")
        return classes.read(self._label, rows, _generative(found))

    def _call(
        self, found: Found, wish: Wish, feeds: Mapping[str, np.ndarray], chosen: np.ndarray | None, seconds: float
    ) -> CodedCall:
        rows = len(next(iter(feeds.values())))
        labelled = feeds if chosen is None else {**feeds, "label": chosen}
        return CodedCall(found, labelled, rows, wish.deadline, wish.priority, wish.call, {}, seconds)


class Path:
    """Samples between two ends, each a seed, a code or an input: text, bytes of an image file, pixels or a row."""

    def __init__(self, request: InterpolateRequest) -> None:
        self._request = request

    def begin(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall | None:
        """See `Asked`."""
        found = predictor.ready(name, wish)
        if found is None or self._request.steps > ROWS_A_RUN:
            return None
        started_at = time.monotonic()
        ends = self._codes(found)
        if any(end is None for end in ends.values()):
            return None
        return self._call(found, wish, ends, started_at)

    async def prepare(self, predictor: Predictor, name: str, wish: Wish) -> CodedCall:
        """See `Asked`."""
        found = await predictor.find(name, wish)
        started_at = time.monotonic()
        ends = self._codes(found)
        for field, end in ends.items():
            if end is None:
                ends[field] = await self._encoded(predictor, name, wish, found, field)
        return self._call(found, wish, ends, started_at)

    def _codes(self, found: Found) -> dict[str, np.ndarray | None]:
        """The code of each end by its field; None of one that is an input."""
        return {field: self._code(found, field, value) for field, value in self._fields.items()}

    @property
    def _fields(self) -> dict[str, Any]:
        return {"from": self._request.start, "to": self._request.end}

    def _code(self, found: Found, field: str, value: Any) -> np.ndarray | None:
        generative = _generative(found)
        if isinstance(value, int) and not isinstance(value, bool):
            if generative["prior"] is None:
                msg = "this model has no prior to draw from; give a code or an input"
                raise Invalid.field("prior_missing", ["body", field], msg)
            if not 0 <= value < SEEDS:
                raise Invalid.field("seed_invalid", ["body", field], f"a seed is a whole number from 0 to {SEEDS - 1}")
            (code,) = codes.draw(value, 1, generative["code"])
            return np.asarray(code)
        if isinstance(value, list) and len(value) == generative["code"] and not isinstance(value[0], list):
            (code,) = codes.read([value], generative["code"], field)
            return np.asarray(code)
        return None

    async def _encoded(self, predictor: Predictor, name: str, wish: Wish, found: Found, field: str) -> np.ndarray:
        """The code of an end that is an input, by the encoder of the same version."""
        value = self._fields[field]
        inputs = given.files([value]) if isinstance(value, bytes) else given.values([value])
        asked = Looking(inputs, self._request.label)
        same = wish._replace(call="encode", version=str(found.model.version))
        try:
            call: Call = await asked.prepare(predictor, name, same)
            (code,) = (await answer_of(partial(predictor.submit, call))).outputs
        except Invalid as error:
            raise _of_field(error, field) from None
        return np.asarray(code[0])

    def _call(self, found: Found, wish: Wish, ends: Mapping[str, np.ndarray | None], started_at: float) -> CodedCall:
        request = self._request
        _check_size(found, request.steps, "steps")
        chosen = classes.read(request.label, request.steps, _generative(found))
        start, end = (np.asarray(each) for each in ends.values())
        path = codes.path(start, end, request.steps, request.method)
        told = {"method": request.method, "codes": path}
        feeds, seconds = _feeds(path, chosen), time.monotonic() - started_at
        return CodedCall(found, feeds, request.steps, wish.deadline, wish.priority, wish.call, told, seconds)


def _generative(found: Found) -> dict[str, Any]:
    generative = found.model.generative
    assert generative is not None  # noqa: S101 - `Entry.resolve` refuses these calls of any other version
    return generative


def _check_size(found: Found, n: int, field: str) -> None:
    """Raise `Invalid` for more samples than one answer may have."""
    sample = _generative(found)["sample"]
    num_bytes = prod(sample["shape"]) * np.dtype(sample["dtype"]).itemsize
    if n * num_bytes > MAX_SAMPLE_BYTES:
        most = MAX_SAMPLE_BYTES // num_bytes
        msg = f"{n} samples of {num_bytes:,} bytes are too many for one answer; ask for at most {most} at once"
        raise Invalid.field("answer_too_large", ["body", field], msg)


def _feeds(rows: np.ndarray, chosen: np.ndarray | None) -> dict[str, np.ndarray]:
    return {"code": rows} if chosen is None else {"code": rows, "label": chosen}


def _of_field(error: Invalid, field: str) -> Invalid:
    """An error of the only input, as one of the field that it came in."""
    errors: Sequence[Any] = [
        {**each, "loc": ["body", field, *each["loc"][3:]]} if each["loc"][:2] == ["body", "inputs"] else each
        for each in error.errors
    ]
    return Invalid(error.code, error.detail.replace("inputs[0]", field), errors)
