"""The files that an explanation leaves, and what each of them shows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from models import spreadsheet
from models.run import ProducedFile


@dataclass
class Gallery:
    """Files under a directory, named `<method>.<what it is of>`, in the order in which they were made."""

    directory: Path
    files: list[ProducedFile] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    """`{"name", "method", "row", "shows"}` each; `row` is null for what is not of one sample."""

    def hang(self, picture: Image.Image, method: str, of: str, shows: str, row: int | None = None) -> str:
        """Keep a picture as PNG, and answer its name."""
        name = f"{method}.{of}.png"
        picture.save(self.directory / name, "PNG", optimize=True)
        return self._listed(name, "image/png", method, shows, row)

    def tabulate(self, header: Sequence[str], rows: Sequence[Sequence[object]], method: str, shows: str) -> str:
        """Keep a table as CSV, and answer its name."""
        name = f"{method}.csv"
        spreadsheet.write(self.directory / name, header, rows)
        return self._listed(name, "text/csv", method, shows, None)

    def _listed(self, name: str, media_type: str, method: str, shows: str, row: int | None) -> str:
        self.files.append(ProducedFile(name, self.directory / name, media_type))
        self.entries.append({"name": name, "method": method, "row": row, "shows": shows})
        return name
