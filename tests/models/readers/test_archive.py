"""The walk over untrusted archives: what passes, and every attack that must not."""

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import JobError
from models.readers.archive import walk
from models.readers.source import Limits
from tests.models.readers.builders import RawZip, deflate, tar_of, tar_of_member, zip_of

FILES = {"a/one.txt": b"1" * 5000, "b/two.txt": b"2" * 700, "b/empty": b""}
LIMITS = Limits(max_archive_entries=50, max_decompressed_bytes=64 * 2**20)


def contents(data: bytes, tmp_path: Path, limits: Limits = LIMITS) -> dict[str, bytes]:
    path = tmp_path / "upload"
    path.write_bytes(data)
    return {entry.name: entry.read_all(10**9) or b"" for entry in walk(path, limits)}


def refused(data: bytes, tmp_path: Path, limits: Limits = LIMITS) -> JobError:
    with pytest.raises(JobError) as raised:
        contents(data, tmp_path, limits)
    return raised.value


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_read(compression: int, tmp_path: Path) -> None:
    assert contents(zip_of(FILES, compression), tmp_path) == FILES


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_is_read(mode: str, format: int, tmp_path: Path) -> None:
    assert contents(tar_of(FILES, mode, format), tmp_path) == FILES


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_of_a_tar_are_read(format: int, tmp_path: Path) -> None:
    files = {"größe/" + "x" * 200: b"1", "ß.png": b"2"}
    assert contents(tar_of(files, format=format), tmp_path) == files


def test_a_zip_written_to_a_pipe_is_read(tmp_path: Path) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", b"data" * 100)
    assert contents(pipe.getvalue(), tmp_path) == {"a.txt": b"data" * 100}


def test_a_zip64_is_read(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive, archive.open("big", "w", force_zip64=True) as file:
        file.write(b"data")
    assert contents(buffer.getvalue(), tmp_path) == {"big": b"data"}


def test_a_zip64_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    data = zip_of(FILES)
    assert b"PK\x06\x06" in data
    assert contents(data, tmp_path) == FILES


def test_names_without_the_utf_8_flag_are_read(tmp_path: Path) -> None:
    data = RawZip().add("größe".encode(), b"1").add("größe.2".encode("cp437"), b"2").bytes()
    assert contents(data, tmp_path) == {"größe": b"1", "größe.2": b"2"}


def test_a_zip_behind_other_bytes_is_refused(tmp_path: Path) -> None:
    data = zip_of(FILES)
    assert refused(b"PK\x03\x04" + data, tmp_path).code == "archive_corrupt"


def test_a_directory_of_many_megabytes_is_refused(tmp_path: Path) -> None:
    archive = RawZip().add(b"n" * 60_000, b"")
    archive.records *= 1200
    assert refused(archive.bytes(), tmp_path, Limits()).code == "archive_too_large"


def test_a_folder_that_holds_data_is_refused(tmp_path: Path) -> None:
    assert refused(RawZip().add(b"a/", b"data").bytes(), tmp_path).code == "archive_unsafe"


@pytest.mark.parametrize("size", ["-5", "x", "9" * 30])
def test_an_impossible_size_in_an_extended_header_is_refused(size: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.png")
        info.pax_headers = {"size": size}
        archive.addfile(info)
    assert refused(buffer.getvalue(), tmp_path).code == "archive_corrupt"


def test_a_sparse_file_in_an_extended_header_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.png")
        info.pax_headers = {"GNU.sparse.major": "1"}
        archive.addfile(info)
    assert refused(buffer.getvalue(), tmp_path).code == "archive_unsafe"


def test_folders_are_left_out(tmp_path: Path) -> None:
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a/", b"")
        archive.writestr("a/1.png", b"1")
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as tar:
        folder, file = tarfile.TarInfo("a"), tarfile.TarInfo("a/1.png")
        folder.type, file.size = tarfile.DIRTYPE, 1
        tar.addfile(folder)
        tar.addfile(file, io.BytesIO(b"1"))
    for data in (zipped.getvalue(), tarred.getvalue()):
        assert contents(data, tmp_path) == {"a/1.png": b"1"}


def test_names_are_put_into_their_plain_form(tmp_path: Path) -> None:
    assert list(contents(tar_of({"./a//b.txt": b""}), tmp_path)) == ["a/b.txt"]


def test_a_gzip_of_several_streams_is_read(tmp_path: Path) -> None:
    tar = tar_of(FILES)
    assert contents(gzip.compress(tar[:1000]) + gzip.compress(tar[1000:]) + b"\0" * 100, tmp_path) == FILES


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/x", "C:/x", "c:x", "a\\b", "..\\x", "\\\\host\\x", "a/..", "n" * 2000, "d/" * 40 + "x"],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_leads_out_of_the_archive_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    data = RawZip().add(name.encode(), b"").bytes() if kind == "zip" else tar_of({name: b""})
    assert refused(data, tmp_path).code == "archive_unsafe"


def test_a_name_with_nul_is_refused(tmp_path: Path) -> None:
    assert refused(RawZip().add(b"a.png\0.sh", b"").bytes(), tmp_path).code == "archive_unsafe"


@pytest.mark.parametrize("names", [("Cat.png", "cat.png"), ("Cat/1.png", "cat/2.png"), ("a.png", "./a.png")])
def test_names_equal_but_for_case_are_refused(names: tuple[str, str], tmp_path: Path) -> None:
    for data in (tar_of(dict.fromkeys(names, b"")), zip_of(dict.fromkeys(names, b""))):
        assert refused(data, tmp_path).code == "archive_unsafe"


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
        b"Z",
    ],
)
def test_a_tar_member_that_is_no_file_is_refused(kind: bytes, tmp_path: Path) -> None:
    assert refused(tar_of_member(kind, target="a/0.png"), tmp_path).code == "archive_unsafe"


@pytest.mark.parametrize("mode", [0o120777, 0o020644, 0o060644, 0o010644])
def test_a_zip_entry_that_is_a_link_or_device_is_refused(mode: int, tmp_path: Path) -> None:
    assert refused(RawZip().add(b"a.png", b"/etc/passwd", mode=mode).bytes(), tmp_path).code == "archive_unsafe"


@pytest.mark.parametrize("flags", [0x0001, 0x0041, 0x2000])
def test_an_encrypted_entry_is_refused(flags: int, tmp_path: Path) -> None:
    error = refused(RawZip().add(b"a.png", b"secret", flags=flags).bytes(), tmp_path)
    assert error.code == "archive_unsafe"
    assert "password" in error.detail


@pytest.mark.parametrize("inner", ["inner.zip", "inner.tar.gz", "disguised.png"])
def test_a_nested_archive_is_refused_unopened(inner: str, tmp_path: Path) -> None:
    for data in (zip_of({inner: zip_of(FILES)}), tar_of({inner: zip_of(FILES)})):
        error = refused(data, tmp_path)
        assert error.code == "archive_unsafe"
        assert inner in error.detail


def test_an_entry_compressed_with_another_method_is_refused(tmp_path: Path) -> None:
    assert refused(zip_of(FILES, zipfile.ZIP_LZMA), tmp_path).code == "archive_unsupported"


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    bomb = zip_of({"zeros.png": bytes(40 * 2**20)})
    assert len(bomb) < 100_000
    assert refused(bomb, tmp_path, Limits()).code == "archive_too_large"


def test_a_zip_bomb_that_declares_a_small_size_is_refused(tmp_path: Path) -> None:
    zeros = bytes(20 * 2**20)
    bomb = RawZip().add(b"zeros.png", zeros, stored=deflate(zeros), size=100).bytes()
    assert refused(bomb, tmp_path).code == "archive_unsafe"


def test_a_bomb_of_many_entries_is_refused(tmp_path: Path) -> None:
    zeros = bytes(10 * 2**20)
    bomb = RawZip()
    for number in range(3):
        bomb.add(b"%d.png" % number, zeros, stored=deflate(zeros))
    assert refused(bomb.bytes(), tmp_path).code == "archive_too_large"


def test_a_tar_gz_bomb_is_refused(tmp_path: Path) -> None:
    assert refused(tar_of({"zeros.png": bytes(40 * 2**20)}, "w:gz"), tmp_path, Limits()).code == "archive_too_large"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_more_bytes_than_allowed_are_refused(compression: int, tmp_path: Path) -> None:
    limits = Limits(max_decompressed_bytes=5000)
    assert refused(zip_of(FILES, compression), tmp_path, limits).code == "archive_too_large"
    assert refused(tar_of(FILES, "w:gz"), tmp_path, limits).code == "archive_too_large"


def test_a_hundred_thousand_entries_are_refused(tmp_path: Path) -> None:
    archive = RawZip().add(b"a", b"")
    record = archive.records[0]
    archive.records = [record[:-1] + b"a"] * 100_000
    for declared in (0xFFFF, 1, 100_000 % 65_536):
        assert refused(archive.bytes(count=declared), tmp_path, Limits()).code == "archive_too_large"


def test_more_tar_entries_than_allowed_are_refused(tmp_path: Path) -> None:
    assert refused(tar_of({f"{i}.png": b"" for i in range(51)}, "w:gz"), tmp_path).code == "archive_too_large"


def test_a_huge_extended_header_is_refused(tmp_path: Path) -> None:
    assert refused(tar_of({"x" * (2 * 2**20): b""}), tmp_path).code == "archive_too_large"


def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    inner = RawZip().add(b"inner.png", b"x" * 100)
    outer = RawZip().add(b"outer.png", inner.body)
    begin = len(outer.body) - len(inner.body)
    outer.add(b"inner.png", b"x" * 100, offset=begin)
    error = refused(outer.bytes(), tmp_path)
    assert error.code == "archive_unsafe"
    assert "overlaps" in error.detail


def test_two_records_of_one_entry_are_refused(tmp_path: Path) -> None:
    archive = RawZip().add(b"a.png", b"x" * 100)
    archive.records.append(archive.records[0].replace(b"a.png", b"b.png"))
    assert refused(archive.bytes(), tmp_path).code == "archive_unsafe"


@pytest.mark.parametrize(
    "lie", [{"size": 99}, {"size": 101}, {"compressed": 10**6}, {"offset": 7}, {"offset": 2**32 - 2}]
)
def test_sizes_and_offsets_that_lie_are_refused(lie: dict[str, int], tmp_path: Path) -> None:
    data = b"x" * 100
    for archive in (RawZip().add(b"a.png", data, None, **lie), RawZip().add(b"a.png", data, deflate(data), **lie)):
        assert refused(archive.bytes(), tmp_path).code in ("archive_unsafe", "archive_corrupt")


def test_data_hidden_behind_an_entry_is_refused(tmp_path: Path) -> None:
    archive = RawZip().add(b"a.png", b"x" * 100, stored=deflate(b"x" * 100) + b"hidden")
    assert refused(archive.bytes(), tmp_path).code == "archive_unsafe"


def test_local_headers_that_disagree_with_the_directory_are_refused(tmp_path: Path) -> None:
    archive = RawZip().add(b"a.png", b"x" * 100)
    archive.records[0] = archive.records[0].replace(b"a.png", b"b.png")
    assert refused(archive.bytes(), tmp_path).code == "archive_unsafe"


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    assert refused(RawZip().add(b"a.png", b"x" * 100, crc=1).bytes(), tmp_path).code == "archive_corrupt"


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.7])
def test_a_truncated_archive_is_refused(cut: float, tmp_path: Path) -> None:
    for data in (zip_of(FILES), tar_of(FILES), tar_of(FILES, "w:gz")):
        assert refused(data[: int(len(data) * cut)], tmp_path).code == "archive_corrupt"


def test_a_tar_gz_without_its_checksum_is_refused(tmp_path: Path) -> None:
    assert refused(tar_of(FILES, "w:gz")[:-4], tmp_path).code == "archive_corrupt"


def test_a_tar_size_beyond_the_end_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    info = tarfile.TarInfo("a.png")
    info.size = 2**40
    buffer.write(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 2000)
    assert refused(buffer.getvalue(), tmp_path).code == "archive_corrupt"


def _only_job_errors(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    try:
        for _ in walk(path, LIMITS):
            pass
    except JobError as error:
        assert error.detail  # noqa: PT017 - some of the inputs are whole


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["zip", "tar", "tar.gz"]),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=4),
)
def test_a_damaged_archive_is_refused_or_read_but_never_crashes(
    tmp_path: Path, kind: str, damages: list[tuple[float, bytes]]
) -> None:
    data = bytearray({"zip": zip_of(FILES), "tar": tar_of(FILES), "tar.gz": tar_of(FILES, "w:gz")}[kind])
    for place, junk in damages:
        at = int(place * (len(data) - 1))
        data[at : at + len(junk)] = junk
    _only_job_errors(bytes(data), tmp_path / "upload")


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0"]), st.binary(max_size=2000), st.booleans())
def test_random_bytes_are_refused_but_never_crash(tmp_path: Path, magic: bytes, data: bytes, ends_as_zip: bool) -> None:
    _only_job_errors(magic + data + (zip_of({})[-22:] if ends_as_zip else b""), tmp_path / "upload")
