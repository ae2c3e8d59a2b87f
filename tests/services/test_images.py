"""What `services.images` makes of image files, whole, broken and hostile."""

import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.errors import Invalid
from services.images import FORMATS, decode, fit

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, extra: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG_MAGIC + header + extra + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def code_of(data: bytes, max_pixels: int = 1_000_000) -> str:
    with pytest.raises(Invalid) as raised:
        decode(data, max_pixels=max_pixels)
    assert raised.value.detail
    return raised.value.code


@pytest.mark.parametrize("format", FORMATS)
def test_every_allowed_format_is_decoded(format: str) -> None:
    image = decode(encoded(Image.new("RGB", (7, 5), "red"), format))
    assert image.size == (7, 5)
    assert fit(image, 3, (5, 7)).shape == (3, 5, 7)


@pytest.mark.parametrize("format", ["EPS", "TIFF", "PPM", "ICO"])
def test_other_formats_are_refused_whatever_they_are_called(format: str) -> None:
    assert code_of(encoded(Image.new("RGB", (32, 32)), format)) == "image_format"


@pytest.mark.parametrize("data", [b"8BPS\0\1" + b"\0" * 60, b"SIMPLE  =" + b" " * 70, b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_photoshop_fits_and_postscript_headers_are_refused(data: bytes) -> None:
    assert code_of(data) == "image_format"


def test_an_empty_file_is_refused() -> None:
    assert code_of(b"") == "image_empty"


def test_a_tiny_png_that_declares_100_megapixels_is_refused_from_its_header() -> None:
    bomb = png(10_000, 10_000, b"")
    assert len(bomb) < 80
    assert code_of(bomb, max_pixels=50_000_000) == "image_too_large"


def test_a_png_over_pillows_own_bomb_limit_is_refused_too() -> None:
    assert code_of(png(60_000, 60_000, b"")) == "image_too_large"


@pytest.mark.parametrize("format", FORMATS)
def test_a_truncated_file_is_refused(format: str) -> None:
    data = encoded(Image.effect_noise((64, 64), 80).convert("RGB"), format)
    assert code_of(data[: len(data) // 2]) == "image_undecodable"


def test_a_png_with_fewer_rows_than_it_declares_is_refused() -> None:
    assert code_of(png(100, 100, b"\0" * 50)) == "image_undecodable"


def test_a_png_with_megabytes_of_text_is_refused() -> None:
    text = chunk(b"tEXt", b"Comment\0" + b"a" * (5 * 2**20))
    assert code_of(png(1, 1, b"\0\0", text)) == "image_undecodable"


def test_a_png_whose_compressed_text_is_a_bomb_is_refused() -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * (64 * 2**20)))
    assert code_of(png(1, 1, b"\0\0", text)) == "image_undecodable"


def test_only_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.new("L", (2, 2), shade % 256) for shade in range(1, 300)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert fit(decode(data), 1, (2, 2)).max() == 1


def test_the_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=exif)).size == (4, 8)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_corrupt_exif_costs_only_the_orientation() -> None:
    assert decode(encoded(Image.new("RGB", (8, 4)), "JPEG", exif=b"Exif\0\0MM\0*\0\0\xff\xff")).size == (8, 4)


def test_fit_crops_the_centre() -> None:
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 255
    assert fit(Image.fromarray(pixels), 1, (10, 10)).min() == 255


def test_fit_leaves_an_image_of_the_right_size_as_it_is() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert np.array_equal(fit(Image.fromarray(pixels), 1, (8, 8))[0], pixels)


def test_another_size_can_be_refused_with_both_sizes() -> None:
    image = Image.new("L", (8, 4))
    assert fit(image, 1, (4, 8), "exact").shape == (1, 4, 8)
    with pytest.raises(Invalid, match=r"4×8 pixels.*8×8 alone; resize it"):
        fit(image, 1, (8, 8), "exact")


def test_grey_fills_three_channels_and_colour_becomes_grey() -> None:
    assert fit(Image.new("L", (4, 4), 9), 3, (4, 4)).tolist() == [[[9] * 4] * 4] * 3
    assert fit(Image.new("RGB", (4, 4), "white"), 1, (4, 4)).min() == 255


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    image = Image.fromarray(np.array([[0, 256, 65535]], np.uint16))
    assert fit(decode(encoded(image)), 1, (1, 3))[0, 0].tolist() == [0, 1, 255]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_laid_over_white(mode: str) -> None:
    assert fit(decode(encoded(Image.new(mode, (4, 4)))), 1, (4, 4)).min() == 255


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(FORMATS), st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_a_damaged_file_decodes_or_is_refused_but_never_crashes(format: str, at: int, junk: bytes) -> None:
    data = bytearray(encoded(Image.effect_noise((16, 16), 80), format))
    data[at : at + len(junk)] = junk
    with contextlib.suppress(Invalid):
        fit(decode(bytes(data), max_pixels=100_000), 3, (8, 8))


def test_stretched_images_are_seen_to_their_edges() -> None:
    pixels = np.zeros((4, 16), np.uint8)
    pixels[:, 8:] = 200
    image = Image.fromarray(pixels)
    assert fit(image, 1, (4, 4), "stretch")[0, 0].tolist() == pytest.approx([0, 0, 200, 200], abs=40)
    assert fit(image, 1, (8, 16), "stretch").shape == (1, 8, 16)
    edges = Image.fromarray(np.repeat(np.array([[255, 0, 0, 255]], np.uint8), 2, axis=0))
    assert fit(edges, 1, (2, 2), "stretch").min() > 50
    assert fit(edges, 1, (2, 2)).max() == 0
