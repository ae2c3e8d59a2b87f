"""`builtin`: data sets that need no network, from scikit-learn's package or drawn with a seed."""

from collections.abc import Callable

from models.errors import UnknownName
from models.readers import bundled, dates, sequences, shapes_masks, synthetic
from models.readers.source import Source
from models.readers.writer import DatasetWriter, Description

_DATA_SETS: dict[str, Callable[[Source, DatasetWriter], Description]] = {
    write.__name__: write
    for write in (
        bundled.digits,
        bundled.iris,
        bundled.wine,
        bundled.breast_cancer,
        bundled.diabetes,
        synthetic.polynomial,
        synthetic.moons,
        synthetic.circles,
        synthetic.blobs,
        synthetic.mixture,
        synthetic.distributions,
        synthetic.counts,
        synthetic.shapes,
        shapes_masks.shapes_masks,
        sequences.adding,
        sequences.sines,
        sequences.copy,
        sequences.reverse,
        sequences.booleans,
        dates.dates,
    )
}
NAMES = tuple(_DATA_SETS)


def read(source: Source, writer: DatasetWriter, name: str) -> Description:
    """Write the data set of this name.

    Raises:
        UnknownName: there is no such built-in data set.
    """
    if name not in _DATA_SETS:
        raise UnknownName("builtin", name, list(NAMES))
    return _DATA_SETS[name](source, writer)
