"""The data sets that are uploaded from the folder that `SYLLABUS_TEST_DATA` names."""

import os
import zipfile
from pathlib import Path

from client.api import Syllabus

IDX_DATASETS = ("mnist", "fashion-mnist")


def upload(api: Syllabus, name: str, scratch: Path) -> None:
    """Send the four idx files of a data set in a zip, and wait until it is ready."""
    path = scratch / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((Path(os.environ["SYLLABUS_TEST_DATA"]) / name).glob("*-ubyte.gz")):
            archive.write(file, file.name)
    api.datasets.upload(path, name=name)
    api.datasets.wait(name)
