"""The version of this service, as it was installed."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("syllabus")
    except PackageNotFoundError:  # run from a checkout
        return "0+checkout"


VERSION = _installed()
