"""Errors read from answers, and how they read."""

import httpx
import pytest

from client.errors import ApiError, field_path


def answer(status: int, **options: object) -> httpx.Response:
    return httpx.Response(status, **options)  # type: ignore[arg-type]


def test_a_problem_document_becomes_an_error_that_names_the_fields() -> None:
    error = ApiError.from_response(
        answer(
            422,
            json={
                "title": "Invalid request",
                "status": 422,
                "code": "request_invalid",
                "detail": "2 fields are wrong.",
                "errors": [
                    {"loc": ["body", "training", "epochs"], "msg": "must be at least 1"},
                    {"loc": ["body", "inputs", 0, 3], "msg": "must be a number"},
                ],
            },
        )
    )
    assert (error.status, error.code, error.refused) == (422, "request_invalid", True)
    assert str(error) == (
        "Invalid request (422 request_invalid): 2 fields are wrong.\n"
        "  training.epochs: must be at least 1\n"
        "  inputs[0][3]: must be a number"
    )


def test_a_detail_that_repeats_its_field_is_printed_once() -> None:
    error = ApiError(422, "bad", "Invalid", "epochs: too small", [{"loc": ["epochs"], "msg": "too small"}])
    assert str(error) == "Invalid (422 bad)\n  epochs: too small"


@pytest.mark.parametrize("body", [b"<html>oops</html>", b"", b"[]", b'{"detail": null, "errors": [1, {"loc": 2}]}'])
def test_an_answer_that_is_no_problem_document_still_reads_well(body: bytes) -> None:
    error = ApiError.from_response(answer(502, content=body))
    assert str(error) == "Bad Gateway (502 http_502)"
    assert not error.refused


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)])
def test_retry_after_is_read_as_seconds(value: str, seconds: float | None) -> None:
    assert ApiError.from_response(answer(429, headers={"Retry-After": value})).retry_after_seconds == seconds


def test_the_body_itself_can_be_the_wrong_field() -> None:
    assert field_path(["body"]) == "body"


def test_an_error_keeps_its_problem_document() -> None:
    error = ApiError(404, "job_not_found", "Not found", "There is no job 'x'.")
    assert error.problem() == {
        "status": 404,
        "code": "job_not_found",
        "title": "Not found",
        "detail": "There is no job 'x'.",
    }
