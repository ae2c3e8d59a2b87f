"""The server that one writes first: FastAPI, its thread pool, one `session.run` a request."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool

from benchmarks.serving.peers.classifier import Classifier

app = FastAPI()
classifier = Classifier()


@app.post("/predict")
async def predict(request: Request) -> dict[str, Any]:
    """Classify one image file."""
    (answer,) = await run_in_threadpool(classifier.classify, [await request.body()])
    return answer
