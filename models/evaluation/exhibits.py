"""The files that an evaluation leaves, and what each of them shows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL.Image import Image

from models import spreadsheet
from models.evaluation.charts import Figure
from models.evaluation.drawing import draw
from models.run import ProducedFile


@dataclass
class Exhibits:
    """Files under a directory, in the order in which they were made."""

    directory: Path
    files: list[ProducedFile] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    """`{"name", "shows"}` each; of a figure also `interactive`, the name of its Plotly file."""

    def draw(self, name: str, figure: Figure) -> None:
        """Keep a figure as PNG and for notebooks."""
        interactive, picture = draw(figure, name, self.directory)
        self.files += [interactive, picture]
        self.entries.append({"name": picture.name, "interactive": interactive.name, "shows": figure.title})

    def hang(self, name: str, picture: Image, shows: str) -> None:
        """Keep a picture as PNG."""
        path = self.directory / f"{name}.png"
        picture.save(path, "PNG", optimize=True)
        self._listed(path, "image/png", shows)

    def tabulate(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]], shows: str) -> None:
        """Keep a table as CSV."""
        path = self.directory / f"{name}.csv"
        spreadsheet.write(path, header, rows)
        self._listed(path, "text/csv", shows)

    def _listed(self, path: Path, media_type: str, shows: str) -> None:
        self.files.append(ProducedFile(path.name, path, media_type))
        self.entries.append({"name": path.name, "shows": shows})
