"""Which of the text formats the beginning of a file looks like."""

import re
from itertools import pairwise

from models.readers.lines import BOM_UTF8
from models.readers.rows import parse_number
from models.readers.series import SERIES_COLUMNS, TIME_COLUMNS
from models.readers.times import Moment, parse

_TREE_BEGIN = re.compile(r"\([^\s()]+ *(\([^\s()]+ |[^\s()]+\))")
_CHUNK_TAG = re.compile(r"O|[BIESLU]-\S+")
_DELIMITER = re.compile(r'"?[,;\t|]"?')


def text_format(head: bytes) -> str | None:
    """`trees`, `conll` or `pairs`, or None for other text; the last line of the head is taken to be cut off."""
    text = head.removeprefix(BOM_UTF8).decode(errors="replace").replace("\r\n", "\n")
    lines = text.split("\n")
    whole = lines[:-1] or lines
    filled = [line for line in whole if line.strip()]
    if not filled:
        return None
    if all(_TREE_BEGIN.match(line.strip()) for line in filled):
        return "trees"
    if _are_tagged(whole, filled):
        return "conll"
    return "pairs" if _are_pairs(filled) else None


def is_series(head: bytes) -> bool:
    """Whether a CSV file begins with a column of times, and numbers behind it.

    Whole numbers in any order are no times but a column of a table, unless one tells several series apart.
    """
    lines = head.removeprefix(BOM_UTF8).decode(errors="replace").replace("\r\n", "\n").strip().split("\n")
    header, *rows = (_DELIMITER.split(line.strip().strip('"')) for line in lines)
    rows = rows[:-1] if len(rows) > 2 else rows
    if len(header) < 2 or header[0].strip().lower() not in TIME_COLUMNS:
        return False
    moments = [parse(row[0].strip()) for row in rows]
    has_several = any(name.strip().lower() in SERIES_COLUMNS for name in header)
    if not has_several and not _are_in_order(moments):
        return False
    are_numbers = all(parse_number(cell.strip()) is not None for row in rows for cell in row[1:] if cell.strip())
    are_times = len(moments) > 1 and all(moment is not None for moment in moments)
    return are_times and are_numbers and all(len(row) == len(header) for row in rows)


def _are_in_order(moments: list[Moment | None]) -> bool:
    """False for whole numbers that do not rise; dates tell by themselves what they are."""
    numbers = [moment for moment in moments if isinstance(moment, int)]
    return all(earlier < later for earlier, later in pairwise(numbers))


def _are_tagged(whole: list[str], filled: list[str]) -> bool:
    """Lines of as many columns each, with tags of chunks, or with empty lines between sentences of words."""
    has_tabs = "\t" in filled[0]
    rows = [line.split("\t") if has_tabs else line.split() for line in filled]
    if len(rows[0]) < 2 or any(len(row) != len(rows[0]) for row in rows):
        return False
    if all(_CHUNK_TAG.fullmatch(row[-1].strip()) for row in rows):
        return True
    has_sentences = any(not line.strip() for line in whole)
    return has_tabs and has_sentences and not any(" " in row[-1].strip() for row in rows)


def _are_pairs(filled: list[str]) -> bool:
    """Two texts a line, a tab between them, the second of several words in some; a table has numbers."""
    rows = [line.split("\t") for line in filled]
    if any(len(row) < 2 for row in rows):
        return False
    has_numbers = any(parse_number(cell.strip()) is not None for row in rows for cell in row[:2])
    return not has_numbers and any(" " in row[1].strip() for row in rows)
