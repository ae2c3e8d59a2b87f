"""`trees`: a binary tree in brackets a line, such as those of the Stanford Sentiment Treebank (see `shapes.trees`).

A file, or a zip or tar of one for each split, told by their names.
"""

import numpy as np

from models.readers.source import Source
from models.readers.targets import ClassIndex
from models.readers.text_files import BLANKS, TextFile, split_files
from models.readers.writer import LABEL, DatasetWriter, Description
from shapes.trees import Malformed, parse

TREE = {"name": "tree", "dtype": "string", "shape": []}


def read(source: Source, writer: DatasetWriter) -> Description:
    """Read trees. Every label of a node is a class, and the target is that of the root.

    Raises:
        JobError: `text_invalid`, naming the file and the line: brackets that do not match, a node
            that is not binary; and those of `walk`.
        UnsuitableData: too many distinct labels.
    """
    source.options.check_task("trees are", "classification")
    labels = ClassIndex("label of the nodes")
    for file in split_files(source, writer):
        _read_file(file, writer, labels)
    for split in writer.splits():
        labels.recode(writer.read_values(split, "targets"))
    return Description("tree", "classification", labels.classes, TREE, LABEL)


def _read_file(file: TextFile, writer: DatasetWriter, labels: ClassIndex) -> None:
    inputs, roots = writer.ragged(file.split, "inputs"), writer.targets(file.split, np.int64)
    for line in file.lines():
        text = line.text.strip(BLANKS)
        if not text:
            continue
        try:
            nodes = parse(text)
        except Malformed as error:
            raise file.invalid(line.number, str(error)) from None
        codes = [labels.code(node.label) for node in nodes]
        inputs.add_text(text)
        roots.append(np.array(codes[-1:]))
