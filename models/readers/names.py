"""The names that entries of an untrusted archive may have."""

import unicodedata

from models.errors import JobError
from models.readers.stream import shown, unsafe

MAX_NAME_CHARACTERS = 1024
MAX_DEPTH = 32


class NameRegister:
    """Accepts the names of an archive's entries, one after the other."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._count = 0
        self._files: set[str] = set()
        self._spellings: dict[str, str] = {}

    def accept(self, name: str, *, is_folder: bool) -> str:
        """The name in its plain form (`./a//b` is `a/b`).

        Raises:
            JobError: `archive_too_large` for too many entries, `archive_unsafe` for a name that leads out of the
                archive or is taken.
        """
        self._count += 1
        if self._count > self._max_entries:
            raise too_many_entries(self._max_entries)
        if "\0" in name or "\\" in name or name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
            raise unsafe(f"The entry name {shown(name)} is absolute or leads out of the archive; use plain names.")
        if len(name) > MAX_NAME_CHARACTERS or name.count("/") > MAX_DEPTH:
            raise unsafe(f"The entry name {shown(name)} is too long or too deep; use shorter names.")
        parts = [part for part in name.split("/") if part not in ("", ".")]
        for depth in range(1, len(parts) + 1):
            self._check_spelling("/".join(parts[:depth]))
        plain = "/".join(parts)
        if not is_folder:
            if plain in self._files or not plain:
                raise unsafe(f"The entry {shown(name)} is there twice or has no name; keep one of each name.")
            self._files.add(plain)
        return plain

    def _check_spelling(self, path: str) -> None:
        spelling = self._spellings.setdefault(unicodedata.normalize("NFC", path).casefold(), path)
        if spelling != path:
            raise unsafe(f"The names {shown(spelling)} and {shown(path)} differ only in case; rename one.")


def too_many_entries(limit: int) -> JobError:
    """The archive has more entries than are read."""
    return JobError("archive_too_large", f"The archive has more than {limit:,} entries; upload fewer files at once.")
