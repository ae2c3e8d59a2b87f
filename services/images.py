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
# Where Pillow finds an orientation; most images have none of these, and looking closer would copy them.
ORIENTED_BY = frozenset({"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"})

# A backstop behind the cap of `decode`: what Pillow itself takes for a bomb is an error, not a warning.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# A PNG may carry any amount of text beside its pixels; Pillow's own limit is 64 MiB a file.
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 2**20


def decode(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """Decode the first frame of an image file, upright as its EXIF orientation says: `read_header`, then `load`."""
    return load(read_header(data, max_pixels=max_pixels))


def read_header(data: bytes, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Image.Image:
    """An image file of which only the header has been read; no pixel is decoded yet.

    Raises:
        Invalid: `image_empty`, `image_format` (none of the five formats), `image_too_large` (over `max_pixels`),
            `image_undecodable` (a corrupt header).
    """
    if not data:
        raise Invalid("image_empty", "The image is empty; send the bytes of a PNG, JPEG, WebP, GIF or BMP file.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Exception as error:
        raise _explained(error, max_pixels) from None
    num_pixels = image.width * image.height
    if num_pixels > max_pixels:
        raise Invalid("image_too_large", f"The image has {num_pixels:,} pixels; at most {max_pixels:,} are read.")
    return image


def load(image: Image.Image) -> Image.Image:
    """Decode the pixels, upright. Raises `Invalid`: `image_undecodable` (truncated or corrupt)."""
    try:
        image.load()
    except Exception as error:
        raise _explained(error, image.width * image.height) from None
    return _upright(image)


def _explained(error: Exception, num_pixels: int) -> Invalid:
    """Whatever a decoder raises (OSError, SyntaxError, struct.error and more: no closed set), as `Invalid`."""
    if isinstance(error, UnidentifiedImageError):
        return Invalid("image_format", "This is not a PNG, JPEG, WebP, GIF or BMP image; convert it first.")
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning | MemoryError):
        return Invalid("image_too_large", f"The image has more than {num_pixels:,} pixels; scale it down.")
    return Invalid("image_undecodable", f"The image is truncated or corrupt ({error}).")


def fit(image: Image.Image, channels: int, size: tuple[int, int], how: str = "crop") -> np.ndarray:
    """Bring an image to a network's input: uint8 (channels, H, W).

    `crop` cuts out the largest centred part with the aspect ratio of `size` = (H, W) and resizes it; `stretch`
    resizes the whole image, for networks that answer for every pixel; `exact` raises `Invalid` (`image_size_differs`)
    for an image of another size. Transparency is laid over white, 16-bit grey is scaled to 8.
    """
    height, width = size
    pixels, mode = _flatten(image), "L" if channels == 1 else "RGB"
    if pixels.mode != mode:  # converting to the same would copy
        pixels = pixels.convert(mode)
    if pixels.size != (width, height):
        if how == "exact":
            detail = (
                f"The image has {pixels.height}×{pixels.width} pixels, and the model was trained on images of "
                f"{height}×{width} alone; resize it, or train on a data set that was uploaded with image_size."
            )
            raise Invalid("image_size_differs", detail)
        if how == "stretch":
            pixels = pixels.resize((width, height), Image.Resampling.BILINEAR)
        else:
            pixels = ImageOps.fit(pixels, (width, height), method=Image.Resampling.BILINEAR)
    array = np.frombuffer(pixels.tobytes(), np.uint8).reshape(height, width, channels)
    return np.ascontiguousarray(array.transpose(2, 0, 1))


def _upright(image: Image.Image) -> Image.Image:
    if ORIENTED_BY.isdisjoint(image.info):
        return image
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
