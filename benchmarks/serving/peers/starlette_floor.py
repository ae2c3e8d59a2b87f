"""Starlette doing nothing: the request is read and a constant is answered."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ANSWER = {"label": 3, "probabilities": [0.1] * 10}


async def predict(request: Request) -> JSONResponse:
    """Read the body; answer the constant."""
    await request.body()
    return JSONResponse(ANSWER)


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
