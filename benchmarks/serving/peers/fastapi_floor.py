"""FastAPI doing nothing: the request is read and a constant is answered."""

from typing import Any

from fastapi import FastAPI, Request

ANSWER = {"label": 3, "probabilities": [0.1] * 10}

app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> dict[str, Any]:
    """Read the body; answer the constant."""
    await request.body()
    return ANSWER
