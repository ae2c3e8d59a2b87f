import os
import resource
from pathlib import Path

import pytest
import torch

from models.training import checkpoint


def save(directory: Path, *steps: int) -> list[Path]:
    return [checkpoint.save(directory, step, {"step": step, "weights": torch.full((100,), step)}) for step in steps]


def newest_step(directory: Path) -> int | None:
    state = checkpoint.newest(directory)
    return None if state is None else state["step"]


def test_the_newest_checkpoint_is_resumed(tmp_path: Path) -> None:
    save(tmp_path, 9, 10)
    state = checkpoint.newest(tmp_path)
    assert state is not None
    assert state["step"] == 10
    assert torch.equal(state["weights"], torch.full((100,), 10))


def test_without_a_checkpoint_there_is_nothing_to_resume(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path) is None


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    paths = save(tmp_path, 1, 2, 3, 4)
    assert sorted(tmp_path.iterdir()) == paths[2:]


@pytest.mark.parametrize("keep", [0, 10, 32, 100, -1])
def test_a_torn_checkpoint_falls_back_to_the_previous(tmp_path: Path, keep: int) -> None:
    _, newest = save(tmp_path, 1, 2)
    newest.write_bytes(newest.read_bytes()[:keep])
    assert newest_step(tmp_path) == 1


def test_a_flipped_bit_falls_back_to_the_previous(tmp_path: Path) -> None:
    _, newest = save(tmp_path, 1, 2)
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    assert newest_step(tmp_path) == 1


def test_what_a_kill_left_of_a_save_is_not_taken_for_a_checkpoint(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / "next.partial").write_bytes(b"half")
    assert newest_step(tmp_path) == 1


def test_a_full_disk_leaves_the_previous_checkpoint_and_no_rest(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the full disk: the write fails with an OSError alike."""
    save(tmp_path, 1)
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            save(tmp_path, 2)
        except OSError:
            os._exit(0)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert newest_step(tmp_path) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_checkpoint_that_holds_code_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "ran"),)

    checkpoint.save(tmp_path, 1, {"step": Evil()})
    with pytest.raises(Exception, match="Weights only"):
        checkpoint.newest(tmp_path)
    assert not (tmp_path / "ran").exists()
