"""`Syllabus.datasets`: upload, look at and delete data sets."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from client.errors import WaitTimeout
from client.http import Connection, Json, path_of
from client.uploads import OnProgress, send

_SUFFIXES = (".tar.gz", ".csv.gz")


class Datasets:
    """The data sets of one service. Names are unique; a data set never changes once it is there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def upload(
        self,
        source: str | Path,
        name: str | None = None,
        *,
        format: str = "auto",
        options: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Json:
        """Send a file, or a directory as a zip of its files; returns the new data set's ingest job.

        The file is read while it is sent. `name` defaults to the file's without its suffix. `options` are
        the contract's: `target`, `task`, `image_size`, `channels`, `classes`, `time`, `series`,
        `known_ahead`, `gaps`, `split`. Raises FileNotFoundError,
        ValueError (an empty directory), ApiError, Unreachable; an upload that broke off is not repeated.
        """
        source = Path(source)
        params: dict[str, Any] = {"name": name or default_name(source), "format": format}
        params |= {key: _query_value(value) for key, value in (options or {}).items() if value is not None}
        job: Json = send(self._connection, path_of("datasets"), source, params, on_progress)["job"]
        return job

    def list(self) -> Sequence[Json]:
        """All data sets, built-in and uploaded."""
        return list(self._connection.items(path_of("datasets")))

    def get(self, name: str) -> Json:
        """State, modality, splits with counts, classes, shapes, bytes and digest."""
        return self._connection.json("GET", path_of("datasets", name))

    def preview(self, name: str, n: int = 16) -> bytes | Sequence[Any]:
        """The first samples: PNG bytes of a grid for images, rows otherwise."""
        response = self._connection.request(
            "GET", path_of("datasets", name, "preview"), params={"n": n}, headers={"Accept": "*/*"}
        )
        if response.headers.get("Content-Type", "").startswith("image/"):
            return response.content
        rows: Sequence[Any] = response.json()["rows"]
        return rows

    def delete(self, name: str) -> None:
        """Delete an uploaded data set. Raises ApiError 409 while a job uses it."""
        self._connection.request("DELETE", path_of("datasets", name))

    def wait(self, name: str, timeout_seconds: float | None = None) -> Json:
        """Return the data set once it is `ready` or `failed`. Raises WaitTimeout."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        delay = 0.05
        while (dataset := self.get(name))["state"] == "ingesting":
            if deadline is not None and time.monotonic() >= deadline:
                raise WaitTimeout(f"data set {name} was not ready after {timeout_seconds} s")
            time.sleep(delay)
            delay = min(delay * 1.5, 1.0)
        return dataset


def default_name(source: Path) -> str:
    """`flowers.tar.gz` and the directory `flowers` are both named `flowers`."""
    resolved = source.resolve()
    for suffix in _SUFFIXES:
        if resolved.name.endswith(suffix):
            return resolved.name.removesuffix(suffix)
    return resolved.name if resolved.is_dir() else resolved.stem


def _query_value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
