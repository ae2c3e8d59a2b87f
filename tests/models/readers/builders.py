"""Uploads, honest and hostile, and one call that ingests them."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.errors import JobError
from models.jobs import ingest as ingest_job
from models.ragged import Ragged
from models.run import JobContext, Outcome, ProducedFile, Wish
from services import images, pictures


@dataclass
class Recorder:
    """A reporter that keeps what it is told; it answers `wishes` one after the other."""

    wishes: list[Wish] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def progress(
        self, fraction: float, *, epoch: int | None = None, step: int | None = None, eta_seconds: float | None = None
    ) -> None:
        self.fractions.append(fraction)

    def metric(self, series: str, step: int, value: float) -> None:
        raise AssertionError("an ingest job has no metrics")

    def log(self, message: str, *, level: str = "info") -> None:
        self.lines.append(message)

    def artifact(self, file: ProducedFile) -> None:
        raise AssertionError("an ingest job keeps nothing while it goes on")

    def suggested(self, parameters: dict[str, Any], attributes: dict[str, Any]) -> None:
        raise AssertionError("an ingest job asks no sampler")

    def wish(self) -> Wish | None:
        return self.wishes.pop(0) if self.wishes else None


@dataclass(frozen=True)
class Ingested:
    """The outcome of an ingest job, its arrays at hand."""

    outcome: Outcome
    manifest: dict[str, Any]
    reporter: Recorder

    def inputs(self, split: str = "train") -> np.ndarray[Any, Any]:
        return self._load(split, "inputs")

    def targets(self, split: str = "train") -> np.ndarray[Any, Any]:
        return self._load(split, "targets")

    def rows(self, split: str = "train", part: str = "inputs") -> Ragged:
        """Inputs or targets of varying length."""
        assert self.outcome.dataset is not None
        return Ragged.load(self.outcome.dataset / f"{split}.{part}.npy")

    @property
    def counts(self) -> dict[str, int]:
        return {name: split["count"] for name, split in self.manifest["splits"].items()}

    @property
    def skipped(self) -> list[tuple[str, str]]:
        assert self.manifest["skipped"]["count"] >= len(self.manifest["skipped"]["examples"])
        return [(example["entry"], example["reason"]) for example in self.manifest["skipped"]["examples"]]

    def _load(self, split: str, part: str) -> np.ndarray[Any, Any]:
        assert self.outcome.dataset is not None
        array: np.ndarray[Any, Any] = np.load(self.outcome.dataset / f"{split}.{part}.npy", mmap_mode="r")
        return array


def context(
    scratch: Path, upload: Path | None, request: dict[str, Any], limits: dict[str, int], reporter: Recorder
) -> JobContext:
    return JobContext(
        kind="ingest",
        request={"kind": "ingest", "dataset": "tried", **request},
        attempt=1,
        scratch=scratch,
        checkpoints=scratch,
        checkpoint_interval_seconds=30,
        threads=1,
        report=reporter,
        decode_image=partial(images.decode, max_pixels=limits.get("max_pixels", 1_000_000)),
        fit_image=images.fit,
        encode_png=pictures.to_png,
        upload=upload,
        limits=limits,
    )


def ingest(
    upload: bytes | Path | None,
    format: str = "auto",
    *,
    builtin: str | None = None,
    limits: dict[str, int] | None = None,
    reporter: Recorder | None = None,
    **options: Any,
) -> Ingested:
    """Ingest bytes or a file in a directory of their own."""
    home = Path(mkdtemp(prefix="ingest-", dir=TMP.path))
    scratch = home / "scratch"
    scratch.mkdir()
    if isinstance(upload, bytes):
        path = home / "upload"
        path.write_bytes(upload)
        upload = path
    reporter = reporter or Recorder()
    request = {"format": format, "builtin": builtin, "options": options}
    outcome = ingest_job.run(context(scratch, upload, request, limits or {}, reporter))
    assert outcome.manifest is not None
    return Ingested(outcome, outcome.manifest, reporter)


class TMP:
    """Where `ingest` works; the autouse fixture of this folder sets it to the test's own directory."""

    path: Path


def refusal(upload: bytes | Path, format: str = "auto", **keywords: Any) -> JobError:
    """The error with which an upload is refused."""
    with pytest.raises(JobError) as raised:
        ingest(upload, format, **keywords)
    assert raised.value.detail
    return raised.value


def png(shade: int = 0, size: tuple[int, int] = (8, 8), mode: str = "L", format: str = "PNG") -> bytes:
    """An image of one shade; `size` is (width, height)."""
    buffer = io.BytesIO()
    Image.new(mode, size, shade if len(mode) == 1 else (shade,) * len(mode)).save(buffer, format)
    return buffer.getvalue()


def noise(size: tuple[int, int] = (32, 32), format: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, format)
    return buffer.getvalue()


def lying_png(width: int, height: int) -> bytes:
    """A PNG of less than 80 bytes that declares a size and holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    framed = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def zip_of(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(files: dict[str, bytes], mode: str = "w", format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=format) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def tar_of_member(kind: bytes, name: str = "a/1.png", target: str = "") -> bytes:
    """A tar of one image and one member of another kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a/0.png")
        info.size = len(png())
        archive.addfile(info, io.BytesIO(png()))
        special = tarfile.TarInfo(name)
        special.type = kind
        special.linkname = target
        archive.addfile(special)
    return buffer.getvalue()


def two_classes(count: int = 4, prefix: str = "") -> dict[str, bytes]:
    """Files of two classes, `count` images each."""
    return {
        f"{prefix}{label}/{i}.png": png(shade + i) for label, shade in (("cat", 0), ("dog", 100)) for i in range(count)
    }


def idx(array: np.ndarray[Any, Any]) -> bytes:
    """An array of bytes as an idx file."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def mnist_files(train: int = 12, test: int | None = 6, compress: bool = True, classes: int = 3) -> dict[str, bytes]:
    """The four files of a small MNIST; two without `test`."""
    files = {}
    for name, count in (("train", train), ("t10k", test)):
        if count is not None:
            pixels = np.arange(count * 20).reshape(count, 5, 4) % 256
            files[f"{name}-images-idx3-ubyte"] = idx(pixels)
            files[f"{name}-labels-idx1-ubyte"] = idx(np.arange(count) % classes)
    return {f"{name}.gz": gzip.compress(data) for name, data in files.items()} if compress else files


def npz_of(compressed: bool = False, /, **arrays: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, allow_pickle=True, **arrays)
    return buffer.getvalue()


class RawZip:
    """A zip written field by field, so that its headers can lie."""

    def __init__(self) -> None:
        self.body = b""
        self.records: list[bytes] = []

    def add(self, name: bytes, data: bytes, stored: bytes | None = None, **lies: int) -> "RawZip":
        """Add a file; `stored` is its deflated data if any; `lies` override fields of both headers."""
        fields = {
            "flags": 0,
            "method": 0 if stored is None else 8,
            "crc": zlib.crc32(data),
            "compressed": len(data if stored is None else stored),
            "size": len(data),
            "mode": 0o100644,
            "offset": len(self.body),
        } | lies
        self.body += self.local(name, fields) + (data if stored is None else stored)
        self.record(name, fields)
        return self

    @staticmethod
    def local(name: bytes, fields: dict[str, int]) -> bytes:
        numbers = (fields["crc"], fields["compressed"], fields["size"], len(name), 0)
        return struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, fields["flags"], fields["method"], 0, 0, *numbers) + name

    def record(self, name: bytes, fields: dict[str, int]) -> None:
        numbers = (fields["crc"], fields["compressed"], fields["size"], len(name), 0, 0, 0, 0)
        head = struct.pack("<4s6H", b"PK\x01\x02", 20, 20, fields["flags"], fields["method"], 0, 0)
        tail = struct.pack("<3L5H2L", *numbers, fields["mode"] << 16, fields["offset"])
        self.records.append(head + tail + name)

    def bytes(self, count: int | None = None) -> bytes:
        """The archive; `count` is the number of entries that its end declares."""
        directory = b"".join(self.records)
        count = len(self.records) if count is None else count
        end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(self.body), 0)
        return self.body + directory + end


def deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()
