"""The ingest job: its outcome, its manners, and what it leaves behind."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import JobError
from models.jobs import ingest as job
from models.run import Stopped, Wish, run
from tests.models.readers.builders import (
    TMP,
    Recorder,
    context,
    ingest,
    mnist_files,
    npz_of,
    png,
    refusal,
    tar_of,
    two_classes,
    zip_of,
)

UPLOAD = zip_of(two_classes())


@pytest.fixture(autouse=True)
def _work_in_own_directory(tmp_path: Path) -> None:
    TMP.path = tmp_path


def prepared(tmp_path: Path, upload: bytes, **request: Any) -> tuple[Path, Path]:
    scratch, path = tmp_path / "attempt", tmp_path / "upload"
    scratch.mkdir()
    path.write_bytes(upload)
    return scratch, path


def test_the_data_set_lies_in_scratch_with_its_manifest(tmp_path: Path) -> None:
    scratch, path = prepared(tmp_path, UPLOAD)
    outcome = run(context(scratch, path, {"format": "auto"}, {}, Recorder()))
    assert outcome.dataset == scratch / "dataset"
    assert {file.name for file in scratch.iterdir()} == {"dataset"}
    assert {file.name for file in outcome.dataset.iterdir()} == {
        "manifest.json",
        "train.inputs.npy",
        "train.targets.npy",
    }
    assert json.loads((outcome.dataset / "manifest.json").read_text()) == outcome.manifest


def test_the_result_sums_up_the_data_set() -> None:
    result = ingest(UPLOAD).outcome.result
    assert result["dataset"] == "tried"
    assert result["splits"] == {"train": {"count": 8}}
    assert json.dumps(result)


def test_the_same_bytes_give_the_same_digest() -> None:
    assert ingest(UPLOAD).manifest["digest"] == ingest(UPLOAD).manifest["digest"]
    assert ingest(UPLOAD).manifest["digest"] != ingest(zip_of(two_classes(5))).manifest["digest"]


def test_progress_only_grows_and_ends_at_one() -> None:
    for upload in (UPLOAD, tar_of(mnist_files()), b"a,z\n" + b"1,2.5\n" * 3000):
        fractions = ingest(upload).reporter.fractions
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0


@pytest.mark.parametrize("wish", ["cancel", "pause"])
@pytest.mark.parametrize("upload", [UPLOAD, zip_of(mnist_files()), b"a,z\n1,2\n", npz_of(x=np.eye(2))])
def test_a_wish_to_stop_is_obeyed(wish: Wish, upload: bytes, tmp_path: Path) -> None:
    scratch, path = prepared(tmp_path, upload)
    with pytest.raises(Stopped) as stopped:
        job.run(context(scratch, path, {"format": "auto"}, {}, Recorder(wishes=[wish])))
    assert stopped.value.wish == wish
    assert not (scratch / "dataset").exists()


@pytest.mark.parametrize(
    "upload",
    [
        zip_of({"a/1.png": b"x"}),
        b"a,b\n1\n",
        npz_of(x=np.eye(2), y=np.zeros(2)),
        zip_of({"../x": png()}),
        zip_of(mnist_files(classes=1)),
    ],
)
def test_a_refused_upload_leaves_nothing_behind(upload: bytes, tmp_path: Path) -> None:
    scratch, path = prepared(tmp_path, upload)
    with pytest.raises(JobError):
        job.run(context(scratch, path, {"format": "auto"}, {}, Recorder()))
    assert list(scratch.iterdir()) == []


TEXTS = zip_of({f"{name}.txt": b"one\ntwo\n" for name in "ab"})


@pytest.mark.parametrize(
    ("format", "upload", "options", "name"),
    [
        ("pairs", b"a\tb\nc\td\n", {"image_size": 8}, "image_size"),
        ("csv", b"a,z\n1,2\n2,3\n", {"channels": 3}, "channels"),
        ("csv", b"a,z\n1,2\n2,3\n", {"gaps": "interpolate"}, "gaps"),
        ("text-classes", TEXTS, {"target": "foo"}, "target"),
        ("text-classes", TEXTS, {"classes": ["a", "b"]}, "classes"),
        ("trees", b"(1 a)\n(0 b)\n", {"target": ""}, "target"),
        ("conll", b"a X\nb Y\n", {"time": "a"}, "time"),
        ("npz", npz_of(x=np.eye(2), y=np.arange(2)), {"image_size": 8}, "image_size"),
        ("image-folder", UPLOAD, {"known_ahead": ["a"]}, "known_ahead"),
    ],
)
def test_an_option_that_the_format_has_not_is_refused_by_its_name(
    format: str, upload: bytes, options: dict[str, Any], name: str
) -> None:
    error = refusal(upload, format, **options)
    assert (error.code, f"`{name}`" in error.detail) == ("options_invalid", True)


def test_the_limits_of_the_job_are_kept() -> None:
    assert refusal(UPLOAD, limits={"max_archive_entries": 7}).code == "archive_too_large"
    assert refusal(UPLOAD, limits={"max_decompressed_bytes": 100}).code == "archive_too_large"
    assert refusal(UPLOAD, limits={"max_pixels": 63}).code == "images_unreadable"


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path) -> None:
    scratch, path = prepared(tmp_path, npz_of(x=np.eye(2)))
    (scratch / "0.npy").symlink_to("/dev/full")
    with pytest.raises(JobError) as raised:
        job.run(context(scratch, path, {"format": "npz"}, {}, Recorder()))
    assert raised.value.code == "storage_full"
    assert list(scratch.iterdir()) == []


BOUNDED = """
import resource, sys
from pathlib import Path
from tests.models.readers import builders
builders.TMP.path = Path(sys.argv[2])
used = int(next(line for line in open("/proc/self/status") if line.startswith("VmData")).split()[1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (used + 48 * 2**20,) * 2)
print(builders.ingest(Path(sys.argv[1])).counts)
"""


def test_an_upload_larger_than_the_memory_is_read(tmp_path: Path) -> None:
    count = 100_000
    images = b"\0\0\x08\x03" + b"".join(number.to_bytes(4, "big") for number in (count, 28, 28)) + bytes(count * 784)
    labels = b"\0\0\x08\x01" + count.to_bytes(4, "big") + bytes([0, 1]) * (count // 2)
    path = tmp_path / "upload.tar"
    path.write_bytes(tar_of({"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels}))
    done = subprocess.run([sys.executable, "-c", BOUNDED, path, tmp_path], capture_output=True, text=True, check=False)
    assert done.stdout == f"{{'train': {count}}}\n", done.stderr


def test_reading_imports_no_torch() -> None:
    code = "import sys, models.jobs.ingest; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
