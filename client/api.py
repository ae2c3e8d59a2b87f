"""The SDK's entry: one object for one service."""

import os
from pathlib import Path
from types import TracebackType

from client.datasets import Datasets
from client.http import Connection, Json, path_of
from client.inputs import Inputs, body_of, media_type
from client.jobs import Jobs
from client.models import Models, Version
from client.submissions import Submissions

DEFAULT_URL = "http://127.0.0.1:8000"


class Syllabus(Submissions):
    """A Syllabus service.

    Records are the dicts of the HTTP contract. `base_url` and `api_key` default to the environment's
    `SYLLABUS_URL` and `SYLLABUS_API_KEY`. Every method raises ApiError when the service refuses or fails
    and Unreachable when it does not answer. Close it, or use it in a `with` block.
    """

    def __init__(self, base_url: str | None = None, api_key: str | None = None, timeout: float = 30.0) -> None:
        """`timeout`: seconds to wait for any one step of a request."""
        url = base_url or os.environ.get("SYLLABUS_URL") or DEFAULT_URL
        self._connection = Connection(url, api_key or os.environ.get("SYLLABUS_API_KEY"), timeout)
        self.base_url = self._connection.base_url
        self.datasets = Datasets(self._connection)
        self.jobs = Jobs(self._connection)
        self.models = Models(self._connection)

    def __enter__(self) -> "Syllabus":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def system(self) -> Json:
        """The service's version, devices and workers."""
        return self._connection.json("GET", path_of("system"))

    def is_ready(self) -> bool:
        """Whether the service says that it, its database and its broker are ready."""
        return self._connection.is_ok("/health/ready")

    def architectures(self, task: str | None = None) -> list[Json]:
        """The architectures of the syllabus, optionally those for one task."""
        return list(self._connection.items(path_of("architectures"), {"task": task}))

    def architecture(self, name: str) -> Json:
        """One architecture, with the JSON Schema of its hyperparameters."""
        return self._connection.json("GET", path_of("architectures", name))

    def predict(
        self,
        model: str,
        inputs: Inputs,
        *,
        version: Version = "latest",
        variant: str | None = None,
        top_k: int | None = None,
        calibrated: bool = False,
        beam_width: int | None = None,
        max_length: int | None = None,
        timeout_ms: int | None = None,
        priority: int | None = None,
    ) -> Json:
        """Predict now. Returns `{"model", "version", "predictions": [...]}`, an answer an input.

        Of a model that writes texts, `beam_width` is how many it tries at once, and `max_length` how long one may be.

        With `calibrated` a classifier's probabilities are those at the temperature kept with the version.

        `variant` is a file of the version, such as `int8`, instead of the one that it serves by default. An answer that
        takes longer than `timeout_ms` is an ApiError, and nothing is asked again; of those that wait, a `priority` of 1
        comes first and 9 last (5).

        `inputs` is an image (a path or its bytes), a list of images (each a `Path` or bytes), or rows of features,
        texts or series, as lists or arrays. The masks of a segmentation are PNG files in base64; `predict_mask` has one
        as it is. Raises TypeError for anything else.
        """
        body = body_of(inputs)
        options = {
            "variant": variant,
            "top_k": top_k,
            "calibrated": "true" if calibrated else None,
            "beam_width": beam_width,
            "max_length": max_length,
        }
        headers = {"X-Timeout-Ms": timeout_ms, "X-Priority": priority}
        body["headers"] = body.get("headers", {}) | {
            name: str(each) for name, each in headers.items() if each is not None
        }
        params = {"version": version} | {name: value for name, value in options.items() if value is not None}
        path = path_of("models", model, "predict")
        return self._connection.json("POST", path, params=params, repeatable=timeout_ms is None, **body)

    def predict_mask(self, model: str, image: str | Path | bytes, *, version: Version = "latest") -> bytes:
        """The mask of one image, of its size: a PNG file whose values are the indices of the model's labels.

        Raises ValueError if the model is not for segmentation.
        """
        body = body_of(image)
        response = self._connection.request(
            "POST",
            path_of("models", model, "predict"),
            params={"version": version},
            repeatable=True,
            content=body["content"],
            headers={**body["headers"], "Accept": "image/png"},
        )
        if media_type(response.content) != "image/png":
            raise ValueError(f"{model} answers without a mask; use `predict`")
        return response.content
