"""The gateway as an ASGI application.

`uvicorn --factory api.main:create` serves it with settings from the environment; `python -m api` also sets
limits on connections, structured logs and the rule about addresses (see there).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from api import problems
from api.auth import ApiKey
from api.body_limit import BodyLimit
from api.event_stream import Streams
from api.openapi import describe
from api.request_id import RequestId
from api.routes import catalogue, datasets, health, jobs, models, predictions, system
from api.telemetry import Telemetry
from api.version import VERSION
from services.resources import Resources
from services.serving.predictions import Predictor
from services.settings import Settings

DESCRIPTION = "Trains, evaluates, exports and serves the model families of a deep-learning course."


def create_app(settings: Settings) -> FastAPI:
    """The gateway under these settings; database, broker and artifact store are opened when it starts."""
    telemetry = Telemetry()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        resources = Resources.open(settings)
        app.state.resources = resources
        app.state.predictor = Predictor(settings.max_pixels)
        app.state.streams = Streams()
        telemetry.watch(resources)
        yield
        app.state.streams.closing.set()
        resources.close()

    app = FastAPI(
        title="Syllabus",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        redirect_slashes=False,  # a redirect would repeat the request's Host, whatever it says
        redoc_url=None,
    )
    app.state.telemetry = telemetry
    problems.install(app)
    for module in (health, system, catalogue, datasets, jobs, models, predictions):
        app.include_router(module.router)
    app.openapi = lambda: describe(app, with_key=settings.api_key is not None)  # type: ignore[method-assign]
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(ApiKey, settings=settings)
    app.add_middleware(RequestId, telemetry=telemetry)
    return app


def create() -> FastAPI:
    """The gateway with settings from the environment."""
    return create_app(Settings())
