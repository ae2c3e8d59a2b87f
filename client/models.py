"""`Syllabus.models`: the registry of trained models."""

from collections.abc import Sequence
from pathlib import Path

from client.downloads import save
from client.http import Connection, Json, path_of

# A version's number, one of its aliases, or `latest`.
Version = int | str


class Models:
    """The registered models of one service."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Sequence[Json]:
        """All models with their versions and aliases."""
        return list(self._connection.items(path_of("models")))

    def get(self, name: str) -> Json:
        """A model: task, labels, versions, aliases, metrics."""
        return self._connection.json("GET", path_of("models", name))

    def version(self, name: str, version: Version = "latest") -> Json:
        """A version: architecture, hyperparameters, data set, metrics, parity report, signature, job."""
        return self._connection.json("GET", path_of("models", name, "versions", version))

    def download(self, name: str, target: str | Path, version: Version = "latest") -> Path:
        """Save a version's ONNX file to `target`, checked against its SHA-256. Raises ChecksumMismatch."""
        # The record names the number, so that file and checksum are of one version even if `latest` moves.
        record = self.version(name, version)
        path = path_of("models", name, "versions", record["version"], "onnx")
        with self._connection.stream(path, headers={"Accept": "*/*"}) as body:
            return save(body, Path(target), record["onnx"]["sha256"])

    def set_alias(self, name: str, alias: str, version: Version) -> Json:
        """Let `alias` name this version from now on; returns the model."""
        number = self.version(name, version)["version"]
        return self._connection.json("PUT", path_of("models", name, "aliases", alias), json={"version": number})

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; the version stays."""
        self._connection.request("DELETE", path_of("models", name, "aliases", alias))
