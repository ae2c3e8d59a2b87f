"""Triton's own client from PyPI, unmodified, for asyncio."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
import tritonclient.http.aio as triton
from tritonclient.http.aio import InferenceServerClient as Client
from tritonclient.utils import InferenceServerException

from tests.api.conftest import Gateway

# The client asks whether something is ready and never reads the answer.
pytestmark = pytest.mark.filterwarnings("ignore:Unclosed connection Connection:ResourceWarning")

Run = Callable[[Callable[[Client], Awaitable[None]]], None]


@pytest.fixture
def run(served: Gateway) -> Run:
    """Runs a coroutine function with a client that is open."""

    def run_with(test: Callable[[Client], Awaitable[None]]) -> None:
        async def main() -> None:
            async with Client(f"127.0.0.1:{served.settings.port}") as client:
                await test(client)

        asyncio.run(main())
        gc.collect()  # here, where the warnings about it are ignored

    return run_with


def rows(array: np.ndarray, name: str = "x", binary: bool = True) -> triton.InferInput:
    given = triton.InferInput(name, list(array.shape), "FP32")
    return given.set_data_from_numpy(array, binary_data=binary)


def test_everything_but_inference(run: Run) -> None:
    async def test(client: Client) -> None:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("sum", "1")
        assert not await client.is_model_ready("nope")
        assert (await client.get_server_metadata())["name"] == "syllabus"
        assert (await client.get_model_metadata("sum", "2"))["versions"] == ["1", "2"]
        assert (await client.get_model_config("sum"))["name"] == "sum"
        assert (await client.get_inference_statistics("sum", "1"))["model_stats"][0]["version"] == "1"
        assert await client.get_inference_statistics()

    run(test)


def test_the_repository(run: Run) -> None:
    async def test(client: Client) -> None:
        await client.unload_model("halves")
        states = {each["name"]: each["state"] for each in await client.get_model_repository_index()}
        assert (states["halves"], states["sum"]) == ("UNAVAILABLE", "READY")
        await client.load_model("halves")
        assert await client.is_model_ready("halves")

    run(test)


def test_many_requests_at_once_keep_their_answers_apart(run: Run) -> None:
    async def test(client: Client) -> None:
        async def one(number: int) -> None:
            length = number % 3 + 1
            given = np.full((number % 4 + 1, length), number, np.float32)
            result = await client.infer("sequence", [rows(given, binary=number % 2 == 0)], request_id=str(number))
            assert result.get_response()["id"] == str(number)
            np.testing.assert_array_equal(result.as_numpy("y"), given)

        await asyncio.gather(*(one(number) for number in range(200)))

    run(test)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies(run: Run, encoding: str) -> None:
    async def test(client: Client) -> None:
        given = np.zeros((50, 20), np.float32)
        result = await client.infer(
            "sequence",
            [rows(given)],
            outputs=[triton.InferRequestedOutput("y", binary_data=False)],
            request_compression_algorithm=encoding,
            response_compression_algorithm=encoding,
        )
        np.testing.assert_array_equal(result.as_numpy("y"), given)

    run(test)


def test_what_is_wrong_is_an_exception_with_status_and_message(run: Run) -> None:
    async def test(client: Client) -> None:
        async def refused(status: str, call: Awaitable[Any]) -> None:
            with pytest.raises(InferenceServerException) as caught:
                await call
            assert caught.value.status() == status
            assert "exception occurred in the client" not in caught.value.message()

        given = [rows(np.zeros((1, 3), np.float32))]
        await refused("404", client.infer("nope", given))
        await refused("400", client.infer("sum", given))
        await refused("504", client.infer("sequence", given, timeout=1))
        await refused("404", client.get_model_metadata("nope"))
        await refused("404", client.load_model("nope"))
        await refused("400", client.load_model("sum", config="{}"))

    run(test)
