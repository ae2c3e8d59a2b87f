"""Request targets of the data plane, read once: clients send the same few again and again."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_to_bytes

from services.serving.answers import AS_USUAL, DEFAULT_TOP_K, Naming
from services.serving.model import GRAPHS
from services.serving.writing import Search

MODEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
VERSION = r"[1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,62}"
VARIANT = r"[a-z][a-z0-9_-]{0,62}"
PREDICT = "/v1/models/{model}/predict"
CALL_ROUTES = {call: f"/v1/models/{{model}}/{call}" for call in GRAPHS}
"""Of what only versions that code or generate can do."""
INFER = "/v2/models/{model}/infer"
INFER_VERSION = "/v2/models/{model}/versions/{version}/infer"

_PREDICT = re.compile(rf"/v1/models/(?P<model>{MODEL})/predict")
_CALL = re.compile(rf"/v1/models/(?P<model>{MODEL})/(?P<call>{'|'.join(CALL_ROUTES)})")
_INFER = re.compile(rf"/v2/models/(?P<model>{MODEL})(/versions/(?P<version>{VERSION}))?/infer")
_QUERY = {
    "version": re.compile(VERSION),
    "variant": re.compile(VARIANT),
    "calibrated": re.compile(r"true|false"),
    "top_k": re.compile(r"[1-9][0-9]{0,2}|1000"),
    "beam_width": re.compile(r"[1-9]|1[0-6]"),
    "max_length": re.compile(r"[1-9][0-9]{0,3}"),
}
LABELLED = frozenset({"encode", "reconstruct", "anomaly"})
"""Calls whose class may stand in the query, since an image file that is the body has no place for it."""
MAX_LABEL = 200
_CALL_QUERY = {"version": _QUERY["version"]}
_LABELLED_QUERY = {**_CALL_QUERY, "label": re.compile(rf".{{1,{MAX_LABEL}}}", re.DOTALL)}
MAX_TOP_K = 1000
MAX_URL_BYTES = 1024
"""Longer targets are not remembered, whoever sends them: thousands of them would fill the memory."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for. `route` is the template, for metrics."""

    kind: str
    """`predict`, `infer`, or what is asked of a version that codes or generates."""
    route: str
    path: str
    model: str
    version: str = "latest"
    variant: str | None = None
    naming: Naming = AS_USUAL
    searched: Search | None = None
    label: str | None = None


def parse(url: bytes) -> Target | None:
    """The target of a POST, or None if it is not plainly one of ours: then the framework has the word."""
    return _parse(url) if len(url) <= MAX_URL_BYTES else None


@lru_cache(4096)
def _parse(url: bytes) -> Target | None:
    raw_path, _, raw_query = url.partition(b"?")
    path = unquote_to_bytes(raw_path).decode("latin-1")
    if match := _INFER.fullmatch(path):
        if raw_query:
            return None
        version = match["version"]
        route = INFER_VERSION if version else INFER
        return Target("infer", route, path, match["model"], version or "latest")
    if match := _CALL.fullmatch(path):
        return _call(match["call"], path, match["model"], raw_query)
    match = _PREDICT.fullmatch(path)
    wishes = _wishes(raw_query, _QUERY)
    if match is None or wishes is None:
        return None
    return Target(
        "predict",
        PREDICT,
        path,
        match["model"],
        wishes.get("version", "latest"),
        wishes.get("variant"),
        Naming(int(wishes.get("top_k", DEFAULT_TOP_K)), wishes.get("calibrated") == "true"),
        _searched(wishes),
    )


def _searched(wishes: Mapping[str, str]) -> Search | None:
    wished = {name: int(wishes[name]) for name in Search._fields if name in wishes}
    return Search(**wished) if wished else None


def _call(call: str, path: str, model: str, raw_query: bytes) -> Target | None:
    wishes = _wishes(raw_query, _LABELLED_QUERY if call in LABELLED else _CALL_QUERY)
    if wishes is None:
        return None
    version = wishes.get("version", "latest")
    return Target(call, CALL_ROUTES[call], path, model, version, label=wishes.get("label"))


def _wishes(raw_query: bytes, known: Mapping[str, re.Pattern[str]]) -> dict[str, str] | None:
    """The parameters of a query by name; None if one is not known, is not as it should be, or comes twice."""
    query = parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True)
    wishes = dict(query)
    is_plain = len(wishes) == len(query)
    return wishes if is_plain and all(n in known and known[n].fullmatch(value) for n, value in query) else None


def is_prediction(path: str) -> bool:
    """Whether a path is of the data plane."""
    return path.startswith("/v") and any(each.fullmatch(path) for each in (_PREDICT, _INFER, _CALL))
