"""Messages are JSON that any supervisor can read, whatever a job reports."""

import json
from multiprocessing import Pipe
from pathlib import Path

import numpy as np
import pytest

from workers.wire import encode, receive


def test_a_message_arrives_as_it_was_sent() -> None:
    ours, theirs = Pipe()
    theirs.send_bytes(encode({"type": "log", "data": {"message": "ä\n\u2028"}}))
    assert receive(ours) == {"type": "log", "data": {"message": "ä\n\u2028"}}


def test_what_json_lacks_becomes_text_or_null() -> None:
    sent = {"path": Path("a/b"), "nan": float("nan"), "infinite": float("inf"), "numpy": np.float32(0.5)}
    assert json.loads(encode(sent)) == {"path": "a/b", "nan": None, "infinite": None, "numpy": 0.5}


def test_a_closed_pipe_is_the_end() -> None:
    ours, theirs = Pipe()
    theirs.close()
    with pytest.raises(EOFError):
        receive(ours)
