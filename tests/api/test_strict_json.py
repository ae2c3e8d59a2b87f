"""Hostile JSON, which every route that takes JSON refuses alike."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.strict_json import MAX_DEPTH, loads
from services.errors import Invalid

Problem = Callable[[httpx.Response, int, str], dict[str, Any]]
JSON = {"content-type": "application/json"}
HOSTILE = {
    "nan": b'{"kind": NaN}',
    "infinity": b'{"kind": -Infinity}',
    "1e999": b'{"kind": 1e999}',
    "-1e999": b'{"kind": -1e999}',
    "deep-lists": b"[" * 100_000,
    "deep-objects": b'{"a":' * 100_000,
    "deep-and-whole": b'{"kind":' + b"[" * 900 + b"]" * 900 + b"}",
    "key-twice": b'{"kind": "train", "kind": "infer"}',
    "key-twice-within": b'{"kind": "train", "training": {"epochs": 1, "\\u0065pochs": 2}}',
    "lone-surrogate": b'{"kind": "\\ud800"}',
    "not-utf-8": b'{"kind": "\xff"}',
    "utf-16": '{"kind": "train"}'.encode("utf-16"),
    "byte-order-mark": b'\xef\xbb\xbf{"kind": "train"}',
    "nul": b'{"kind": "a\\u0000b"}',
    "two-values": b"{} {}",
    "comment": b"{} // no",
    "single-quotes": b"{'kind': 1}",
    "trailing-comma": b'{"kind": 1,}',
    "empty": b"",
    "long-number": b'{"kind": 1' + b"0" * 10_000 + b"}",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_422_with_its_place(lite_client: TestClient, body: bytes, problem: Problem) -> None:
    errors = problem(lite_client.post("/v1/jobs", content=body, headers=JSON), 422, "json_invalid")["errors"]
    assert errors[0]["loc"][0] == "body"
    other = lite_client.put("/v1/models/m/aliases/a", content=body, headers=JSON)
    problem(other, 422, "json_invalid")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/jsonx"],
)
def test_json_under_another_name_is_415(lite_client: TestClient, content_type: str, problem: Problem) -> None:
    response = lite_client.post("/v1/jobs", content=b"{}", headers={"content-type": content_type})
    problem(response, 415, "json_expected")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf_8_is_read_however_it_is_written(
    lite_client: TestClient, content_type: str, problem: Problem
) -> None:
    response = lite_client.post("/v1/jobs", content=b"{}", headers={"content-type": content_type})
    problem(response, 422, "request_invalid")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"x"', b"null", b"true"])
def test_a_value_that_is_no_object_is_422(lite_client: TestClient, body: bytes) -> None:
    response = lite_client.post("/v1/jobs", content=body, headers=JSON)
    assert response.status_code == 422
    assert response.json()["errors"][0]["loc"][0] == "body"


def test_nesting_is_bounded_exactly() -> None:
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(Invalid, match="nested deeper"):
        loads(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(VALUES)
def test_plain_values_come_through_unchanged(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_invalid(body: bytes) -> None:
    with contextlib.suppress(Invalid):
        loads(body)
