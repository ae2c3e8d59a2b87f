"""`python -m workers.init`: migrates the database and ingests the built-in data sets. Safe to repeat."""

import tempfile
from pathlib import Path

from sqlalchemy import select

from models.readers.builtin import NAMES
from models.run import JobContext, run
from services import migrations
from services.images import decode, fit
from services.logs import configure
from services.pictures import to_png
from services.resources import Resources
from services.settings import Settings
from services.tables import Dataset
from workers.recording import place_dataset


class Quiet:
    """A reporter for a job that nobody follows."""

    def progress(self, fraction: float, **_: object) -> None:
        """Nothing follows the progress."""

    def metric(self, series: str, step: int, value: float) -> None:
        """Nothing keeps metrics."""

    def log(self, message: str, *, level: str = "info") -> None:
        """Nothing keeps log lines."""

    def artifact(self, file: object) -> None:
        """Nothing keeps files."""

    def suggested(self, parameters: object, attributes: object) -> None:
        """No sampler is asked."""

    def wish(self) -> None:
        """Nobody wishes anything."""


def main() -> None:
    """Prepare the database and files under the settings."""
    settings = Settings()
    configure(settings.log_level)
    resources = Resources.open(settings)
    migrations.upgrade(resources.database)
    with resources.database.snapshot() as session:
        present = set(session.scalars(select(Dataset.name)))
    for name in NAMES:
        if name not in present:
            ingest(resources, name)
    resources.close()


def ingest(resources: Resources, name: str) -> None:
    """Add one built-in data set as any other, but for the job."""
    settings = resources.settings
    with tempfile.TemporaryDirectory(dir=settings.jobs) as scratch:
        context = JobContext(
            kind="ingest",
            request={"kind": "ingest", "dataset": name, "format": "builtin", "builtin": name, "options": {}},
            attempt=1,
            scratch=Path(scratch),
            checkpoints=Path(scratch),
            checkpoint_interval_seconds=settings.checkpoint_interval_seconds,
            threads=1,
            report=Quiet(),
            decode_image=decode,
            fit_image=fit,
            encode_png=to_png,
        )
        outcome = run(context)
        with resources.database.transaction() as session:
            place_dataset(resources, Path(str(outcome.dataset)), outcome.manifest or {})
            session.add(Dataset(name=name, format="builtin", builtin=True, manifest=outcome.manifest))


if __name__ == "__main__":
    main()
