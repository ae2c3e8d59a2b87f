"""The small data sets that come with scikit-learn's package: digits as 8 by 8 grey images, tables in their own units.

scikit-learn is imported when one is read: it takes a second, and uploads do not need it.
"""

from typing import Any

import numpy as np

from models.readers.arrays import write_images, write_table
from models.readers.source import Source
from models.readers.writer import DatasetWriter, Description

_DIGITS_WHITE = 16


def digits(source: Source, writer: DatasetWriter) -> Description:
    """1,797 written digits (Alpaydin and Kaynak 1998)."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.round(bunch.images * 255 / _DIGITS_WHITE).astype(np.uint8)
    return write_images(source, writer, images, bunch.target, [str(name) for name in bunch.target_names])


def iris(source: Source, writer: DatasetWriter) -> Description:
    """150 flowers of three species (Fisher 1936)."""
    from sklearn.datasets import load_iris

    return _write(writer, load_iris())


def wine(source: Source, writer: DatasetWriter) -> Description:
    """178 wines of three growers, by chemical analysis (Forina 1991)."""
    from sklearn.datasets import load_wine

    return _write(writer, load_wine())


def breast_cancer(source: Source, writer: DatasetWriter) -> Description:
    """569 tumours, malignant or benign, by their cells' nuclei (Street, Wolberg and Mangasarian 1993)."""
    from sklearn.datasets import load_breast_cancer

    return _write(writer, load_breast_cancer())


def diabetes(source: Source, writer: DatasetWriter) -> Description:
    """442 patients and the progress of their disease after a year (Efron et al. 2004)."""
    from sklearn.datasets import load_diabetes

    return _write(writer, load_diabetes(scaled=False))


def _write(writer: DatasetWriter, bunch: Any) -> Description:
    classes = [str(name) for name in bunch.target_names] if "target_names" in bunch else None
    columns = [str(name) for name in bunch.feature_names]
    return write_table(writer, {"train": (bunch.data, bunch.target)}, columns, classes)
