"""`python -m api`: the gateway as a process. `python -m api --check` only says whether it could start."""

import socket
import sys

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from api.auth import is_loopback
from api.connection import connection_class
from api.main import create_app
from services import logs
from services.settings import Settings

EXIT_CONFIGURATION = 78  # EX_CONFIG of sysexits.h
KEEP_ALIVE_SECONDS = 20
SHUTDOWN_SECONDS = 5
MAX_CONNECTIONS = 2000


class Gateway(uvicorn.Server):
    """uvicorn, which tells the event streams to end before it waits for open connections."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """End the streams, then everything else within `SHUTDOWN_SECONDS`."""
        self._app.state.streams.closing.set()
        await super().shutdown()


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
    try:
        settings = Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
        return _fail(f"wrong settings: {wrong}")
    if (refusal := _refusal(settings)) is not None:
        return _fail(refusal)
    if "--check" in sys.argv[1:]:
        return 0
    logs.configure(settings.log_level)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=connection_class(settings.receive_timeout_seconds),
        ws="none",
        log_config=None,
        access_log=False,  # api.request_id writes it, with the request's id and without the query
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    Gateway(config, app).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
