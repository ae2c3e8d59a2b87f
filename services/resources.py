"""What a process of this service works with, opened once and closed at its end."""

from dataclasses import dataclass
from functools import cached_property

from services.artifacts import ArtifactStore
from services.catalogue import Catalogue
from services.database import Database
from services.queue import Doorbell
from services.settings import Settings


@dataclass(frozen=True)
class Resources:
    """Settings and the open database, artifact store and broker."""

    settings: Settings
    database: Database
    artifacts: ArtifactStore
    doorbell: Doorbell

    @classmethod
    def open(cls, settings: Settings) -> "Resources":
        """Open everything under `settings`; connections are made on first use."""
        settings.make_directories()
        doorbell = Doorbell(settings)
        return cls(
            settings=settings,
            database=Database(settings.database, {"doorbell": doorbell}),
            artifacts=ArtifactStore(settings.artifact_directory),
            doorbell=doorbell,
        )

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue snapshot."""
        return Catalogue()

    def close(self) -> None:
        """Close the connections."""
        self.doorbell.close()
        self.database.close()
