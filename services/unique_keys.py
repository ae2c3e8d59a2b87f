"""JSON objects with a key twice, of which two parsers could take either (RFC 8259, section 4; RFC 7493, 2.3)."""

import json
from typing import Any

from services.errors import Invalid

MAX_QUOTED = 100


def check_unique_keys(text: bytes, num_keys: int) -> None:
    """Raise `Invalid` if an object in a valid JSON text has a key twice.

    `num_keys` is how many different keys its objects are known to have. Each key has a colon behind it: where there
    are no more colons, none is repeated, and the text is not read again.
    """
    if text.count(b":") <= num_keys:
        return
    try:
        json.loads(text, object_pairs_hook=_check)
    except RecursionError:
        detail = "The JSON is nested too deeply."
        raise Invalid("json_invalid", detail, [{"loc": ["body"], "msg": "nested too deeply"}]) from None


def _check(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            key, msg = key[:MAX_QUOTED], "this key occurs twice in one object"
            raise Invalid("json_invalid", f"{key!r}: {msg}.", [{"loc": ["body", key], "msg": msg}])
        seen.add(key)
