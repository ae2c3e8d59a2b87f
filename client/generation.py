"""What versions that code and generate are asked for: samples, codes, reconstructions, paths and anomaly scores."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from client.errors import ApiError
from client.events import EventParser
from client.http import Connection, Json, path_of
from client.inputs import Inputs, body_of

# A version's number, one of its aliases, or `latest`.
Version = int | str
Form = Literal["json", "png", "zip"]
Label = str | Sequence[str]
Method = Literal["linear", "spherical"]
End = int | str | Path | bytes | Sequence[Any] | Mapping[str, Any]
"""An end of a path: a seed, an image (a path or its bytes), a code, pixels, or a row of a table."""

MEDIA_TYPES: Mapping[Form, str] = {"json": "application/json", "png": "image/png", "zip": "application/zip"}


class Generation:
    """The calls of one service's models.

    All answer the JSON object of the HTTP contract; with `form` `png` or `zip`, where there are images, the bytes of a
    picture of all samples or of an archive of one picture each. ApiError 409 says what else a version can do.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def generate(
        self,
        name: str,
        n: int = 16,
        *,
        seed: int | None = None,
        label: Label | None = None,
        z: Sequence[Sequence[float]] | None = None,
        temperature: float = 1.0,
        version: Version = "latest",
        form: Form = "json",
        **writing: Any,
    ) -> Any:
        """Draw `n` samples, or make one of each code in `z`. The same seed gives the same bytes.

        `writing` is of versions that write texts: `start`, `top_k`, `top_p` and `max_length`.
        """
        asked: dict[str, Any] = {"seed": seed, "label": _listed(label), "temperature": temperature, **writing}
        asked |= {"n": n} if z is None else {"z": [list(code) for code in z]}
        return self._ask(name, "generate", version, form, json=asked)

    def write(
        self, name: str, n: int = 1, *, label: Label | None = None, version: Version = "latest", **options: Any
    ) -> Iterator[Json]:
        """Texts as they are written: `{"index": ..., "text": ...}` for each token, and at last what `generate` answers.

        `options` are those of `generate`. Raises ApiError, also in the middle of a text.
        """
        asked = {"n": n, "label": _listed(label), **options}
        headers = {"Accept": "text/event-stream"}
        path, params = path_of("models", name, "generate"), {"version": version}
        parser = EventParser()
        with self._connection.stream(path, "POST", params=params, headers=headers, json=asked) as response:
            for chunk in response.iter_bytes():
                for event in parser.feed(chunk):
                    data = json.loads(event.data)
                    if event.type == "error":
                        raise ApiError.of(data)
                    yield data

    def decode(
        self,
        name: str,
        codes: Sequence[Sequence[float]],
        *,
        label: Label | None = None,
        version: Version = "latest",
        form: Form = "json",
    ) -> Any:
        """The sample that each code stands for."""
        asked = {"codes": [list(code) for code in codes], "label": _listed(label)}
        return self._ask(name, "decode", version, form, json=asked)

    def encode(self, name: str, inputs: Inputs, *, label: str | None = None, version: Version = "latest") -> Any:
        """The code of each input; `inputs` and `label` as of `reconstruct`."""
        return self._ask(name, "encode", version, "json", label=label, **body_of(inputs))

    def reconstruct(
        self,
        name: str,
        inputs: Inputs,
        *,
        label: str | None = None,
        version: Version = "latest",
        form: Form = "json",
    ) -> Any:
        """Code and decode each input: an image (a path or its bytes), several images, or rows of features.

        `label` is the class of all of them, for a conditional model.
        """
        return self._ask(name, "reconstruct", version, form, label=label, **body_of(inputs))

    def anomaly(self, name: str, inputs: Inputs, *, label: str | None = None, version: Version = "latest") -> Any:
        """How unusual each input is, and whether that is more than nearly all held-out rows are."""
        return self._ask(name, "anomaly", version, "json", label=label, **body_of(inputs))

    def interpolate(
        self,
        name: str,
        start: End,
        end: End,
        *,
        steps: int = 8,
        method: Method = "linear",
        label: str | None = None,
        version: Version = "latest",
        form: Form = "json",
    ) -> Any:
        """Samples on the path between two seeds, codes or inputs, both ends included."""
        asked = {"from": _end(start), "to": _end(end), "steps": steps, "method": method, "label": label}
        return self._ask(name, "interpolate", version, form, json=asked)

    def _ask(self, name: str, call: str, version: Version, form: Form, label: str | None = None, **body: Any) -> Any:
        params = {"version": version} | ({} if label is None else {"label": label})
        headers = {**body.pop("headers", {}), "Accept": MEDIA_TYPES[form]}
        path = path_of("models", name, call)
        options = {"params": params, "headers": headers, "repeatable": True, **body}
        if form == "json":
            return self._connection.json("POST", path, **options)
        return self._connection.request("POST", path, **options).content


def _listed(label: Label | None) -> str | list[str] | None:
    return label if label is None or isinstance(label, str) else list(label)


def _end(end: End) -> Any:
    """An end as JSON carries it: images in base64."""
    if isinstance(end, str | Path):
        end = Path(end).read_bytes()
    return base64.b64encode(end).decode() if isinstance(end, bytes) else end
