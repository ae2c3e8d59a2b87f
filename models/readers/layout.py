"""Which split and class the files of an upload belong to, by their paths."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "development": "validation",
    "test": "test",
    "testing": "test",
}


class Place(NamedTuple):
    """Where a file belongs; without a class it is unlabelled."""

    split: str
    label: str | None


@dataclass(frozen=True)
class Layout:
    """How the paths of an upload are built."""

    depth: int
    """How many folders at the top are common to all files and mean nothing."""
    has_splits: bool
    classes: list[str] | None
    """Sorted names of the class folders; None if no file lies in one."""

    def place(self, path: str) -> Place | None:
        """Where a file belongs; None if it lies beside the class folders that others lie in."""
        parts = path.split("/")[self.depth :]
        split = "train"
        if self.has_splits and len(parts) > 1:
            split = SPLIT_FOLDERS[parts.pop(0).lower()]
        if self.classes is None:
            return Place(split, None)
        return Place(split, parts[0]) if len(parts) > 1 else None


def arrange(paths: Sequence[str], *, unlabelled: bool = False) -> Layout:
    """Recognise `class/file` or `split/class/file`, below any number of folders that all files share.

    Folders inside a class folder belong to the class.

    Args:
        unlabelled: Take folders for mere order, not for classes.
    """
    all_parts = [path.split("/") for path in paths]
    depth = 0
    while _shares_folder(all_parts, depth):
        depth += 1
    rests = [parts[depth:] for parts in all_parts]
    tops = {parts[0].lower() for parts in rests if len(parts) > 1}
    has_splits = bool(tops) and tops <= set(SPLIT_FOLDERS)
    at = 1 if has_splits else 0
    classes = sorted({parts[at] for parts in rests if len(parts) > at + 1})
    return Layout(depth, has_splits, classes if classes and not unlabelled else None)


def named_split(path: str) -> str | None:
    """The split that a file's name, or else a folder that it lies in, has as a word: `wnut17train.conll` is `train`."""
    for part in reversed(path.split("/")):
        found = {SPLIT_FOLDERS[word] for word in re.findall("[a-z]+", part.lower()) if word in SPLIT_FOLDERS}
        if len(found) == 1:
            return found.pop()
    return None


def _shares_folder(all_parts: list[list[str]], depth: int) -> bool:
    """Whether all files lie in one folder at this depth that is neither a split nor the only class."""
    folders = {parts[depth] if len(parts) > depth + 1 else None for parts in all_parts}
    if len(folders) != 1 or None in folders:
        return False
    has_folders_below = any(len(parts) > depth + 2 for parts in all_parts)
    return has_folders_below and all_parts[0][depth].lower() not in SPLIT_FOLDERS
