"""Which models there are to serve, remembered from the database.

A look at the database for every prediction would cost more than the prediction. What is remembered of a model
counts as fresh for `FRESH_SECONDS` after it was last confirmed, by reading the model's revision alone. Under load
it is confirmed ahead, in the background; after a pause, before the answer. So a change made elsewhere is seen at
the latest after `FRESH_SECONDS`, one made in this process at once. While the database does not answer, what is
remembered is served on.
"""

import asyncio
import random
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import structlog

from services import registry
from services.artifacts import ArtifactStore, StoredFile
from services.database import OUTAGE, Database, explain
from services.errors import Conflict, NotFound, Unavailable
from services.registry import MAIN
from services.serving.model import GRAPHS, ServedModel
from services.tables import Model, ModelVersion

FRESH_SECONDS = 0.25
AHEAD_SECONDS = 0.125
"""The age from which on a fresh entry is confirmed in the background."""
PATIENCE_SECONDS = 1.0
"""How long the database may take to confirm what is remembered, before that is used unconfirmed."""
MAX_ENTRIES = 4096
INFER, PREDICT = "infer", "predict"
"""What is asked of any version: tensors of its main graph, or an answer in words."""

log = structlog.get_logger(__name__)


@contextmanager
def _outage_explained() -> Iterator[None]:
    """Raise what a database that is out of reach means for a caller."""
    try:
        yield
    except OUTAGE as error:
        raise explain(error) or error from error


@dataclass(eq=False)
class Entry:
    """One model as the database had it at `revision`."""

    name: str
    revision: int
    served: bool
    versions: dict[int, ModelVersion]
    graphs: dict[int, dict[str, StoredFile]]
    """The files of each version's graphs, by name."""
    aliases: dict[str, int]
    traffic: dict[str, Any] | None
    artifacts: ArtifactStore
    confirmed_at: float
    """By the monotonic clock."""
    checking: "asyncio.Task[Entry] | None" = None
    asked_at: float = 0.0
    """When the check under way began, by the monotonic clock."""
    _models: dict[tuple[int, str | None, str], ServedModel] = field(default_factory=dict)
    _parts: dict[tuple[int, str], ServedModel] = field(default_factory=dict)

    def __post_init__(self) -> None:
        weights = (self.traffic or {}).get("weights", {})
        self._shares = [int(number) for number in weights]
        self._bounds = list(accumulate(weights.values()))

    def resolve(self, version: str = registry.LATEST, variant: str | None = None, call: str = INFER) -> ServedModel:
        """The file that answers a request.

        `version` is a number, an alias or `latest`, which means: as the model's traffic is shared, else the
        newest. `variant` None is the version's default. `call` is what is asked of it: see `services.serving.model`.
        Raises `NotFound`, `Unavailable` for a model that was unloaded, and `Conflict` for a version that cannot do
        what is asked.
        """
        if not self.served:
            raise Unavailable("model_unloaded", f"Model {self.name!r} was unloaded; load it to use it again.")
        number = self._number(version)
        model = self._models.get((number, variant, call))
        if model is None:
            model = self._models[number, variant, call] = self._model(number, variant, call)
        return model

    def part(self, model: ServedModel, graph: str) -> ServedModel:
        """Another of the graphs of a model's version."""
        part = self._parts.get((model.version, graph))
        if part is None:
            sha256 = self.graphs[model.version][graph].sha256
            part = replace(model, variant="", graph=graph, sha256=sha256, path=self.artifacts.path(sha256))
            self._parts[model.version, graph] = part
        return part

    def shadow_of(self, model: ServedModel) -> ServedModel | None:
        """The version that is called beside this one and compared, if there is one."""
        number = (self.traffic or {}).get("shadow")
        if number is None or number == model.version or number not in self.versions or model.graph != MAIN:
            return None
        return self.resolve(str(number))

    def _number(self, version: str) -> int:
        if version == registry.LATEST:
            if self._shares:
                return random.choices(self._shares, cum_weights=self._bounds)[0]  # noqa: S311 - no secret
            if self.versions:
                return max(self.versions)
        number = self.aliases.get(version) or (int(version) if version.isdecimal() else 0)
        if number not in self.versions:
            raise NotFound("version_not_found", f"Model {self.name!r} has no version {version!r}.")
        return number

    def _model(self, number: int, variant: str | None, call: str) -> ServedModel:
        version = self.versions[number]
        generative = version.record.get("generative")
        if call != INFER:
            self._check_call(number, generative, call)
        graph = GRAPHS.get(call, MAIN)
        name = (version.default_variant if variant is None else variant) if graph == MAIN else None
        sha256 = self.graphs[number][graph].sha256
        if name:
            sha256s = {each.name: each.onnx_sha256 for each in version.variants}
            if name not in sha256s:
                known = f"; it has {', '.join(sorted(sha256s))}" if sha256s else ""
                detail = f"Version {number} of model {self.name!r} has no variant {name!r}{known}."
                raise NotFound("variant_not_found", detail)
            sha256 = sha256s[name]
        trusted: bool = version.record.get("trusted", True)
        return ServedModel(
            name=self.name,
            version=number,
            variant=name or "",
            sha256=sha256,
            path=self.artifacts.path(sha256),
            signature=version.signature,
            trusted=trusted,
            bounded=version.record.get("bounded", True),
            steady=version.record.get("steady", trusted),
            temperature=(version.record.get("calibration") or {}).get("temperature"),
            graph=graph,
            generative=generative,
        )

    def _check_call(self, number: int, generative: dict[str, Any] | None, call: str) -> None:
        """Raise `Conflict` if a version cannot do what is asked."""
        if generative is None:
            can = [PREDICT]
        else:
            # A prediction is an input's reconstruction, and says of no class which one it is of.
            predicts = "reconstruct" in generative["calls"] and not generative["conditional"]
            can = [*([PREDICT] if predicts else []), *generative["calls"]]
        if call not in can:
            detail = f"Version {number} of model {self.name!r} cannot {call}; it can {', '.join(can)}."
            raise Conflict("call_unsupported", detail)


class Directory:
    """Entries by name, for one event loop."""

    def __init__(self, database: Database, artifacts: ArtifactStore) -> None:
        self._database = database
        self._artifacts = artifacts
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._num_changes = 0

    def fresh(self, name: str) -> Entry | None:
        """What is remembered of a model, if that is fresh."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        age = time.monotonic() - entry.confirmed_at
        if age > AHEAD_SECONDS and entry.checking is None:
            self._check(entry)
        return entry if age <= FRESH_SECONDS else None

    async def get(self, name: str) -> Entry:
        """The model, confirmed if need be. Raises `NotFound`; `Unavailable` only if nothing is remembered of it."""
        if (entry := self.fresh(name)) is not None:
            return entry
        entry = self._entries.get(name)
        if entry is None:
            with _outage_explained():
                return await self._fetch(name)
        check = entry.checking or self._check(entry)
        patience = entry.asked_at + PATIENCE_SECONDS - time.monotonic()
        if patience <= 0:  # others have waited for it in vain
            return entry
        try:
            async with asyncio.timeout(patience):
                return await asyncio.shield(check)
        except TimeoutError:
            log.warning("served_unconfirmed", model=name)
            return entry

    async def names(self) -> list[str]:
        """All models there are, by name. Raises `Unavailable`."""
        with _outage_explained():
            return await asyncio.to_thread(self._names)

    def forget(self, name: str) -> None:
        """The model has changed: what is remembered of it no longer holds. May be called from any thread."""
        self._num_changes += 1
        self._entries.pop(name, None)

    async def _fetch(self, name: str) -> Entry:
        """Read a model, once more if one was changed meanwhile: it may have been this one."""
        while True:
            num_changes = self._num_changes
            entry = await asyncio.to_thread(self._read, name)
            if num_changes == self._num_changes:
                return self._remember(entry)

    def _check(self, entry: Entry) -> "asyncio.Task[Entry]":
        """Confirm an entry, or replace it, in the background; all who wait for it share it."""

        async def check() -> Entry:
            num_changes = self._num_changes
            try:
                revision = await asyncio.to_thread(self._revision, entry.name)
                if revision == entry.revision and num_changes == self._num_changes:
                    entry.confirmed_at = entry.asked_at
                    return entry
                return await self._fetch(entry.name)
            except NotFound:
                self.forget(entry.name)
                raise
            except OUTAGE as error:
                log.warning("served_unconfirmed", model=entry.name, error=type(error).__name__)
                entry.confirmed_at = time.monotonic()
                return entry
            finally:
                entry.checking = None

        entry.asked_at = time.monotonic()
        entry.checking = asyncio.get_running_loop().create_task(check())
        entry.checking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return entry.checking

    def _remember(self, entry: Entry) -> Entry:
        self._entries.pop(entry.name, None)
        self._entries[entry.name] = entry
        if len(self._entries) > MAX_ENTRIES:
            self._entries.popitem(last=False)
        return entry

    def _revision(self, name: str) -> int | None:
        with self._database.snapshot() as session:
            return registry.revision(session, name)

    def _read(self, name: str) -> Entry:
        read_at = time.monotonic()
        with self._database.snapshot() as session:
            model = registry.get(session, name)
            return self._entry(model, registry.graphs(session, model.versions), read_at)

    def _entry(self, model: Model, graphs: dict[int, dict[str, StoredFile]], read_at: float) -> Entry:
        return Entry(
            name=model.name,
            revision=model.revision,
            served=model.served,
            versions={version.number: version for version in model.versions},
            graphs=graphs,
            aliases={alias.alias: alias.number for alias in model.aliases},
            traffic=model.traffic,
            artifacts=self._artifacts,
            confirmed_at=read_at,
        )

    def _names(self) -> list[str]:
        with self._database.snapshot() as session:
            return registry.names(session)
