"""The same request with a seed is answered with the same bytes, whoever else asks, in whichever process."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import numpy as np
import pytest

from tests.api.conftest import Gateway
from tests.api.data_plane.conftest import KEY
from tests.api.data_plane.wire import read, request
from tests.generative_models import particular
from tests.services.serving.engines import network_of

PARTICULAR = "/v1/models/particular/generate"
FORMS = ("application/json", "image/png", "application/zip")
NEIGHBOURS = 6


def generated(gateway: Gateway, model: str, n: int, seed: int, accept: str = FORMS[0]) -> bytes:
    headers = {"authorization": f"Bearer {KEY}", "accept": accept}
    url = f"{gateway.url}/v1/models/{model}/generate"
    response = httpx.post(url, json={"n": n, "seed": seed}, headers=headers)
    assert response.status_code == 200, response.text
    return response.content


@contextmanager
def busy(gateway: Gateway) -> Iterator[None]:
    """Others who ask the same model for other numbers of samples, all the time."""
    over = threading.Event()

    def ask() -> None:
        with gateway.connect() as connection:
            while not over.is_set():
                body = json.dumps({"n": random.randint(1, 9)}).encode()
                connection.sendall(request(PARTICULAR, body))
                assert read(connection).status == 200

    others = [threading.Thread(target=ask) for _ in range(NEIGHBOURS)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        over.set()
        for other in others:
            other.join()


def test_a_row_may_come_out_otherwise_beside_others() -> None:
    """Without which the tests below would show nothing."""
    network = network_of(particular())
    codes = np.random.default_rng(0).standard_normal((40, 3)).astype(np.float32)
    (together,) = network.run({"code": codes})
    alone = np.concatenate([network.run({"code": codes[start : start + 5]})[0] for start in range(0, 40, 5)])
    assert np.allclose(alone, together, rtol=1e-5)
    assert (alone != together).any()


def test_neighbours_change_nothing(served: Gateway) -> None:
    cases = [(n, seed) for n in (1, 2, 5, 9, 70) for seed in (0, 7)]
    expected = {case: generated(served, "particular", *case) for case in cases}
    with busy(served):
        for _ in range(5):
            for case in cases:
                assert generated(served, "particular", *case) == expected[case]


@pytest.mark.parametrize("accept", FORMS)
def test_another_process_gives_the_same_bytes(served: Gateway, locked: Gateway, accept: str) -> None:
    for model in ("columns", "lamps", *(("particular",) if accept == FORMS[0] else ())):
        for n, seed in ((1, 2**32 - 1), (16, 7), (130, 7)):
            assert generated(served, model, n, seed, accept) == generated(locked, model, n, seed, accept)


def test_without_a_seed_one_is_drawn_and_told(served: Gateway) -> None:
    url = f"{served.url}/v1/models/columns/generate"
    first, second = (httpx.post(url, json={"n": 2}, headers={"accept": FORMS[1]}) for _ in range(2))
    assert first.headers["x-seed"] != second.headers["x-seed"]
    assert generated(served, "columns", 2, int(first.headers["x-seed"]), FORMS[1]) == first.content
