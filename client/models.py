"""`Syllabus.models`: the registry of models."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from client.downloads import save
from client.generation import Generation, Version
from client.http import Json, path_of
from client.uploads import OnProgress, send

__all__ = ["Models", "Version"]


class Models(Generation):
    """The registered models of one service, and what versions that code and generate are asked for."""

    def list(self) -> Sequence[Json]:
        """All models with their versions and aliases."""
        return list(self._connection.items(path_of("models")))

    def get(self, name: str) -> Json:
        """A model: task, labels, versions, aliases, metrics."""
        return self._connection.json("GET", path_of("models", name))

    def version(self, name: str, version: Version = "latest") -> Json:
        """A version: architecture, hyperparameters, data set, metrics, parity report, signature, job."""
        return self._connection.json("GET", path_of("models", name, "versions", version))

    def register(self, source: str | Path, name: str, *, on_progress: OnProgress | None = None) -> Json:
        """Send an ONNX file of your own and return the job that examines it.

        When the job succeeds, the file is the next version of the model `name`. Raises FileNotFoundError,
        ApiError, Unreachable; an upload that broke off is not repeated.
        """
        answer = send(self._connection, path_of("models"), Path(source), {"name": name}, on_progress)
        job: Json = answer["job"]
        return job

    def download(
        self,
        name: str,
        target: str | Path,
        version: Version = "latest",
        *,
        variant: str | None = None,
        graph: str | None = None,
    ) -> Path:
        """Save the ONNX file of a version, of its variant or of another graph, such as `decoder`, to `target`.

        Raises ChecksumMismatch, and ApiError 404 if the version has no such variant or graph.
        """
        # The record names the number, so that file and checksum are of one version even if `latest` moves.
        record = self.version(name, version)
        params = {name: value for name, value in (("graph", graph), ("variant", variant)) if value is not None}
        files = {
            "variant": {each["name"]: each["sha256"] for each in record.get("variants") or []},
            "graph": {name: each["sha256"] for name, each in (record.get("graphs") or {}).items()},
        }
        path = path_of("models", name, "versions", record["version"], "onnx")
        with self._connection.stream(path, params=params, headers={"Accept": "*/*"}) as body:
            sha256 = record["onnx"]["sha256"]
            for kind, chosen in params.items():
                sha256 = files[kind][chosen]
            return save(body, Path(target), sha256)

    def set_default_variant(self, name: str, variant: str | None, version: Version = "latest") -> Json:
        """Let a variant, or with None the version's own file, be served when a request names none."""
        path = path_of("models", name, "versions", version, "default-variant")
        return self._connection.json("PUT", path, json={"variant": variant})

    def set_traffic(
        self, name: str, weights: Mapping[int, float] | Mapping[str, float], *, shadow: int | None = None
    ) -> Json:
        """Share requests that name no version between versions, by weight, and return the model.

        `shadow` is a version that is asked beside the one that answers, for comparison.
        """
        traffic = {"weights": {str(number): weight for number, weight in weights.items()}, "shadow": shadow}
        return self._connection.json("PUT", path_of("models", name, "traffic"), json=traffic)

    def delete_traffic(self, name: str) -> None:
        """Let the latest version answer all requests that name none."""
        self._connection.request("DELETE", path_of("models", name, "traffic"))

    def set_alias(self, name: str, alias: str, version: Version) -> Json:
        """Let `alias` name this version from now on; returns the model."""
        number = self.version(name, version)["version"]
        return self._connection.json("PUT", path_of("models", name, "aliases", alias), json={"version": number})

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; the version stays."""
        self._connection.request("DELETE", path_of("models", name, "aliases", alias))
