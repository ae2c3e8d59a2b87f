"""Ray Serve: the image is the body, dynamic batches, one replica. Run with the port as its only argument."""

import sys
from typing import Any

import ray  # type: ignore[import-not-found, unused-ignore]
from ray import serve  # type: ignore[import-not-found, unused-ignore]
from starlette.requests import Request

from benchmarks.serving.peers.classifier import MAX_BATCH, Classifier


@serve.deployment(  # type: ignore[misc, untyped-decorator, unused-ignore]
    num_replicas=1, ray_actor_options={"num_cpus": 0.5}, max_ongoing_requests=2 * MAX_BATCH
)
class Deployment:
    """LeNet in one replica."""

    def __init__(self) -> None:
        self._classifier = Classifier()

    @serve.batch(  # type: ignore[misc, untyped-decorator, unused-ignore]
        max_batch_size=MAX_BATCH, batch_wait_timeout_s=0.002
    )
    async def classify(self, files: list[bytes]) -> list[dict[str, Any]]:
        """Classify a batch of image files."""
        return self._classifier.classify(files)

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Classify one image file."""
        answer: dict[str, Any] = await self.classify(await request.body())
        return answer


if __name__ == "__main__":
    ray.init(address="local", include_dashboard=False, namespace="serve")
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[1])})
    serve.run(Deployment.bind(), blocking=True)  # type: ignore[attr-defined, unused-ignore]
