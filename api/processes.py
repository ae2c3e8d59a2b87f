"""Several gateway processes that share one port, under one parent that starts again what died."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from services.artifacts import remove_tree
from services.settings import Settings


def serve(config: uvicorn.Config, settings: Settings) -> None:
    """Serve until a signal comes, with as many processes as the settings say."""
    if settings.gateway_workers == 1:
        uvicorn.Server(config).run()
        return
    # Where the processes add up what they count; prometheus_client reads the name when it is imported.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_emptied(settings.root / "metrics"))
    Multiprocess(config, sockets=[config.bind_socket()]).run()


def _emptied(directory: Path) -> Path:
    remove_tree(directory)
    directory.mkdir(parents=True)
    return directory


def end_with_parent() -> None:
    """Stop this process when the one that started it is gone: it would hold the port against the next one."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
