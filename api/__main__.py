"""`python -m api`: the gateway, in one process or several. See `python -m api --help`."""

import argparse
import os
import socket
import sys

import uvicorn
from pydantic import ValidationError

from api.auth import is_loopback
from api.connection import HttpProtocol
from api.processes import serve
from services import logs
from services.settings import Settings

EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
KEEP_ALIVE_SECONDS = 20
SHUTDOWN_SECONDS = 5
MAX_CONNECTIONS = 2000


def _fail(message: str) -> int:
    print(f"syllabus: {message}", file=sys.stderr)
    return EXIT_CONFIGURATION


def _refusal(settings: Settings) -> str | None:
    """Why the gateway must not or cannot listen; None if it can."""
    if settings.api_key is None and not is_loopback(settings.host):
        return (
            f"refusing to listen on {settings.host} without an API key, since anyone who reaches it could use it; "
            "set SYLLABUS_API_KEY, or SYLLABUS_HOST=127.0.0.1"
        )
    try:
        address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(address[0]) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address[4])
    except OSError as error:
        return f"cannot listen on {settings.host}, port {settings.port}: {error.strerror}; set PORT or SYLLABUS_HOST"
    return None


def main() -> int:
    """Serve until a signal comes. Returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="python -m api", description="The HTTP gateway; settings are SYLLABUS_*.")
    parser.add_argument("--check", action="store_true", help="only say whether it could start")
    parser.add_argument("--workers", metavar="N", help="processes that share the port (SYLLABUS_GATEWAY_WORKERS)")
    arguments = parser.parse_args()
    if arguments.workers is not None:
        os.environ["SYLLABUS_GATEWAY_WORKERS"] = arguments.workers  # where the processes find it too
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        return _fail(f"wrong settings: {wrong}")
    if (refusal := _refusal(settings)) is not None:
        return _fail(refusal)
    if arguments.check:
        return 0
    logs.configure(settings.log_level)
    config = uvicorn.Config(
        "api.main:create",
        factory=True,
        workers=settings.gateway_workers,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        log_config=None,
        access_log=False,  # api.request_id writes it, with the request's id and without the query
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    serve(config, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
