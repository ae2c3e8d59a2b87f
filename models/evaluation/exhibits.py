"""The files that an evaluation or an explanation leaves, and what each of them shows."""

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

    def hang(self, name: str, picture: Image, shows: str, **about: Any) -> str:
        """Keep a picture as PNG, and answer its name; `about` is said of it beside what it shows."""
        path = self.directory / f"{name}.png"
        picture.save(path, "PNG", optimize=True)
        return self._listed(path, "image/png", shows, about)

    def tabulate(
        self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]], shows: str, **about: Any
    ) -> str:
        """Keep a table as CSV, and answer its name."""
        path = self.directory / f"{name}.csv"
        spreadsheet.write(path, header, rows)
        return self._listed(path, "text/csv", shows, about)

    def _listed(self, path: Path, media_type: str, shows: str, about: dict[str, Any]) -> str:
        self.files.append(ProducedFile(path.name, path, media_type))
        self.entries.append({"name": path.name, **about, "shows": shows})
        return path.name
