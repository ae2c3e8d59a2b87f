"""The gateway as an ASGI application.

`uvicorn --factory api.main:create` serves it with settings from the environment; `python -m api` also sets
limits on connections, the short way of predictions and the rule about addresses (see there).
"""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI

from api import problems
from api.auth import ApiKey, Authentication
from api.body_limit import BodyLimit
from api.connection import STATE, Shared
from api.data_plane.heads import Heads
from api.data_plane.outbox import Outbox
from api.data_plane.plane import DataPlane
from api.dependencies import only_declared_query
from api.event_stream import Streams
from api.head_routes import head_routes_of
from api.openapi import describe
from api.processes import end_with_parent
from api.request_id import RequestId
from api.routes import (
    catalogue,
    datasets,
    generation,
    health,
    inference_protocol,
    jobs,
    models,
    predictions,
    protocol_extensions,
    system,
    trials,
)
from api.telemetry import Telemetry
from api.version import VERSION
from services import logs
from services.resources import Resources
from services.serving.predictions import Predictor
from services.settings import Settings

DESCRIPTION = "Trains, evaluates, exports and serves the model families of a deep-learning course."


def create_app(settings: Settings) -> FastAPI:
    """The gateway under these settings; database, broker and artifact store are opened when it starts."""
    telemetry = Telemetry()
    api_key = ApiKey(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
        resources = Resources.open(settings)
        predictor = Predictor.open(resources, telemetry.serving)
        plane = DataPlane(
            predictor, timeout_seconds=settings.predict_timeout_seconds, max_bytes=settings.max_predict_bytes
        )
        app.state.resources = resources
        app.state.directory = predictor.directory
        app.state.predictor = predictor
        app.state.data_plane = plane
        app.state.streams = streams = Streams()
        telemetry.watch(resources, predictor.engine)
        await predictor.preload(settings.preload)
        outbox = Outbox(asyncio.get_running_loop(), plane, telemetry)
        limits = (settings.receive_timeout_seconds, settings.max_predict_bytes)
        yield {STATE: Shared(plane, api_key, streams, outbox, Heads(), *limits)}
        streams.closing.set()
        predictor.close()
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
    for module in (system, catalogue, datasets, jobs, trials, models, predictions, generation):
        for router in (module.router, head_routes_of(module.router)):
            app.include_router(router, dependencies=[Depends(only_declared_query)])
    # Others say what is asked of these, and with what. Of two routes that match the first is taken: /v2/models/stats
    # is not the model `stats`.
    for module in (health, protocol_extensions, inference_protocol):
        for router in (module.router, head_routes_of(module.router)):
            app.include_router(router)
    app.openapi = lambda: describe(app, with_key=settings.api_key is not None)  # type: ignore[method-assign]
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Authentication, api_key=api_key)
    app.add_middleware(RequestId, telemetry=telemetry)
    return app


def create() -> FastAPI:
    """The gateway with settings from the environment, in a process of its own."""
    settings = Settings()
    logs.configure(settings.log_level)
    end_with_parent()
    app = create_app(settings)
    # What was made so far lives as long as the process; to look through it at every collection takes 50 ms.
    gc.freeze()
    return app
