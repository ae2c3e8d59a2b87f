"""Every test of the readers works in a directory of its own."""

from pathlib import Path

import pytest

from tests.models.readers.builders import TMP


@pytest.fixture(autouse=True)
def _work_in_own_directory(tmp_path: Path) -> None:
    TMP.path = tmp_path
