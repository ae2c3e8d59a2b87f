"""`pairs`: lines of two texts, a tab between them, such as a sentence and its translation.

More columns are let be, if all lines have as many: such as who wrote the pair.

A file, or a zip or tar of one for each split, told by their names.
"""

from models.errors import JobError
from models.readers.source import Source
from models.readers.text_files import BLANKS, TextFile, split_files
from models.readers.texts import TEXT
from models.readers.writer import DatasetWriter, Description

MIN_COLUMNS = 2


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read pairs. The first column is the input and the second the target; the option `target` set to `1` turns them
    round. Pairs with an empty text are set aside.

    Raises:
        JobError: `text_invalid`, naming the file and the line; `options_invalid`; and those of `walk`.
    """
    source.options.check_task("pairs of texts are", "translation")
    wish = source.options.target
    if wish not in (None, "1", "2"):
        raise JobError("options_invalid", "`target` is the number of the column to be predicted: 1 or 2.")
    at = 0 if wish == "1" else 1
    for file in split_files(source, writer):
        _read_file(file, writer, at)
    return Description("text", "translation", None, TEXT, TEXT | {"name": "target"})


def _read_file(file: TextFile, writer: DatasetWriter, target_at: int) -> None:
    inputs, targets = writer.ragged(file.split, "inputs"), writer.ragged(file.split, "targets")
    width = 0
    for line in file.lines():
        if not line.text.strip(BLANKS):
            continue
        columns = [column.strip(BLANKS) for column in line.text.split("\t")]
        if len(columns) < MIN_COLUMNS:
            raise file.invalid(line.number, "has no tab; write the two texts of a pair with a tab between them")
        width = width or len(columns)
        if len(columns) != width:
            raise file.invalid(
                line.number,
                f"has {len(columns)} columns, and those before it {width}; take tabs out of the texts, or give every"
                " line as many columns",
            )
        if not columns[0] or not columns[1]:
            writer.skipped.add(f"{file.name} line {line.number}".strip(), "one of the texts is empty")
            continue
        inputs.add_text(columns[1 - target_at])
        targets.add_text(columns[target_at])
