"""Exits 0 when a worker of this host announced itself lately: the health check of a worker's container."""

import socket
import sys

from services import presence
from services.database import Database
from services.settings import Settings


def main() -> int:
    """0 when this host's worker was seen in the last 30 s, else 1."""
    database = Database(Settings().database)
    try:
        with database.snapshot() as session:
            hosts = {worker.host for worker in presence.workers(session)}
    finally:
        database.close()
    return 0 if socket.gethostname() in hosts else 1


if __name__ == "__main__":
    sys.exit(main())
