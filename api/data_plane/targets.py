"""Request targets of the data plane, read once: clients send the same few again and again."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl, unquote_to_bytes

MODEL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
VERSION = r"[1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,62}"
VARIANT = r"[a-z][a-z0-9_-]{0,62}"
PREDICT = "/v1/models/{model}/predict"
INFER = "/v2/models/{model}/infer"
INFER_VERSION = "/v2/models/{model}/versions/{version}/infer"

_PREDICT = re.compile(rf"/v1/models/(?P<model>{MODEL})/predict")
_INFER = re.compile(rf"/v2/models/(?P<model>{MODEL})(/versions/(?P<version>{VERSION}))?/infer")
_QUERY = {
    "version": re.compile(VERSION),
    "variant": re.compile(VARIANT),
    "top_k": re.compile(r"[1-9][0-9]{0,2}|1000"),
}
MAX_TOP_K = 1000
DEFAULT_TOP_K = 5
MAX_URL_BYTES = 1024
"""Longer targets are not remembered, whoever sends them: thousands of them would fill the memory."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for. `route` is the template, for metrics."""

    kind: Literal["predict", "infer"]
    route: str
    path: str
    model: str
    version: str = "latest"
    variant: str | None = None
    top_k: int = DEFAULT_TOP_K


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
    match = _PREDICT.fullmatch(path)
    query = parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True)
    wishes = dict(query)
    if match is None or len(wishes) != len(query):
        return None
    if any(name not in _QUERY or not _QUERY[name].fullmatch(value) for name, value in query):
        return None
    return Target(
        "predict",
        PREDICT,
        path,
        match["model"],
        wishes.get("version", "latest"),
        wishes.get("variant"),
        int(wishes.get("top_k", DEFAULT_TOP_K)),
    )


def is_prediction(path: str) -> bool:
    """Whether a path is of the data plane."""
    return path.startswith("/v") and (_PREDICT.fullmatch(path) or _INFER.fullmatch(path)) is not None
