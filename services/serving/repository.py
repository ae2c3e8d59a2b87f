"""Triton's model repository extension: which models there are, and whether they are served.

That a model is served or not is kept in the database, so that all gateway processes agree. A served model is ready
without having been loaded: the first request loads it.
https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
"""

import asyncio
from typing import Any

from services import registry
from services.database import Database
from services.errors import SyllabusError
from services.serving.directory import Entry
from services.serving.predictions import Predictor

READY, LOADING, UNAVAILABLE = "READY", "LOADING", "UNAVAILABLE"


class Repository:
    """The models of the registry as this process serves them."""

    def __init__(self, database: Database, predictor: Predictor) -> None:
        self._database = database
        self._predictor = predictor
        self._directory = predictor.directory

    async def index(self, *, only_ready: bool) -> list[dict[str, Any]]:
        """`name`, `version`, `state` and `reason` of every version, or of those that can answer."""
        versions = [self._describe(entry, number) for entry in await self._entries() for number in entry.versions]
        return [each for each in versions if each["state"] == READY or not only_ready]

    async def served_versions(self) -> list[tuple[str, str]]:
        """The names and version numbers of all models that are served."""
        return [
            (entry.name, str(number)) for entry in await self._entries() if entry.served for number in entry.versions
        ]

    async def load(self, name: str) -> None:
        """Serve a model, and have what answers when no version is named in memory, warm.

        Raises `NotFound`, and `Unavailable` if it cannot be loaded; then it is served only if it was before.
        """
        was_served = await self._set_served(name, True)
        try:
            entry = await self._directory.get(name)
            for version in (entry.traffic or {}).get("weights") or (registry.LATEST,):
                await self._predictor.warm(name, version)
        except SyllabusError:
            await self._set_served(name, was_served)
            raise

    async def unload(self, name: str) -> None:
        """Answer no more requests for a model, and let go of its memory. Raises `NotFound`."""
        await self._set_served(name, False)
        self._predictor.engine.unload(name)

    async def _entries(self) -> list[Entry]:
        return [await self._directory.get(name) for name in await self._directory.names()]

    async def _set_served(self, name: str, served: bool) -> bool:
        """Returns whether it was served before."""
        was_served = await asyncio.to_thread(self._store, name, served)
        self._directory.forget(name)
        return was_served

    def _store(self, name: str, served: bool) -> bool:
        with self._database.transaction() as session:
            was_served = registry.get(session, name).served
            registry.set_served(session, name, served=served)
            return was_served

    def _describe(self, entry: Entry, number: int) -> dict[str, Any]:
        state, reason = self._state(entry, number)
        return {"name": entry.name, "version": str(number), "state": state, "reason": reason}

    def _state(self, entry: Entry, number: int) -> tuple[str, str]:
        if not entry.served:
            return UNAVAILABLE, "unloaded"
        model = entry.resolve(str(number))
        if self._predictor.engine.is_loading(model):
            return LOADING, ""
        if not model.path.is_file():
            return UNAVAILABLE, "the model's file is not in the artifact store"
        return READY, ""
