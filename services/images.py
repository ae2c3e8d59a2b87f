"""Untrusted image files to pixels: the one decoder that ingest, prediction and evaluation share.

PNG, JPEG, WebP, GIF and BMP only: Pillow registers some forty decoders, and what is not needed is not exposed.
Source: Pillow's handbook, "Image file formats" and "Security".
"""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from services.errors import Invalid

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
DEFAULT_MAX_PIXELS = 50_000_000

# A backstop behind the cap of `decode`: what Pillow itself takes for a bomb is an error, not a warning.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# A PNG may carry any amount of text beside its pixels; Pillow's own limit is 64 MiB a file.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 2**20


def decode(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode the first frame of an image file, upright as its EXIF orientation says.

    The size is checked from the header, before any pixel is decoded.

    Raises:
        Invalid: `image_empty`, `image_format` (none of the five formats), `image_too_large` (over `max_pixels`),
            `image_undecodable` (truncated or corrupt).
    """
    if not data:
        raise Invalid("image_empty", "The image is empty; send the bytes of a PNG, JPEG, WebP, GIF or BMP file.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_pixels(image.width * image.height, max_pixels)
        image.load()
    except Invalid:
        raise
    except UnidentifiedImageError:
        raise Invalid("image_format", "This is not a PNG, JPEG, WebP, GIF or BMP image; convert it first.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError):
        raise Invalid("image_too_large", f"The image has more than {max_pixels:,} pixels; scale it down.") from None
    except Exception as error:  # Decoders raise OSError, SyntaxError, struct.error and more: no closed set.
        raise Invalid("image_undecodable", f"The image is truncated or corrupt ({error}).") from None
    return _upright(image)


def fit(image: Image.Image, channels: int, size: tuple[int, int]) -> np.ndarray:
    """Bring an image to a network's input: uint8 (channels, H, W).

    The largest centred part with the aspect ratio of `size` = (H, W) is cut out and resized to it. Transparency
    is laid over white, 16-bit grey is scaled to 8.
    """
    height, width = size
    pixels = _flatten(image).convert("L" if channels == 1 else "RGB")
    if pixels.size != (width, height):
        pixels = ImageOps.fit(pixels, (width, height), method=Image.Resampling.BILINEAR)
    array = np.asarray(pixels, dtype=np.uint8)
    return np.ascontiguousarray(array[None] if channels == 1 else array.transpose(2, 0, 1))


def _check_pixels(pixels: int, max_pixels: int) -> None:
    if pixels > max_pixels:
        raise Invalid("image_too_large", f"The image has {pixels:,} pixels; at most {max_pixels:,} are read.")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # The pixels are whole; corrupt EXIF only costs the orientation.
        return image


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey at 255 when it converts.
        return Image.fromarray((np.asarray(image).astype(np.int64).clip(0, 65535) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA"))
    return image
