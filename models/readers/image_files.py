"""The image files of an archive: which they are, what they have in common, and their pixels."""

from collections.abc import Iterator

from PIL.Image import Image

from models.readers.archive import Entry, walk
from models.readers.pixels import default_size
from models.readers.source import Source

MAX_IMAGE_BYTES = 64 * 2**20
# Other image formats are here too: their files are meant as images, and the decoder says why it refuses them.
IMAGE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".heic", ".avif", ".eps", ".psd", ".fits", ".ico"),
)
IMAGE_MAGICS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
GREY_MODES = ("1", "L", "LA", "I", "I;16", "I;16B", "I;16L")


def is_side_file(entry: Entry) -> str | None:
    """Why an entry is not meant as an image, or None if it is."""
    parts = entry.name.split("/")
    if any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return "hidden file"
    is_webp = entry.head.startswith(b"RIFF") and entry.head[8:12] == b"WEBP"
    if entry.name.lower().endswith(IMAGE_SUFFIXES) or entry.head.startswith(IMAGE_MAGICS) or is_webp:
        return None
    return "not an image"


def entries(source: Source, begin: float, share: float) -> Iterator[tuple[Entry, str | None]]:
    """The files of the upload, each with the reason why it is not meant as an image, if it is not.

    Reading all of them takes this share of the job, which has come to `begin`.
    """
    for entry in walk(source.path, source.limits):
        source.progress(begin + share * entry.fraction)
        yield entry, is_side_file(entry)


def decode(source: Source, entry: Entry) -> Image:
    """Raises `ValueError` with the reason why an image cannot be read."""
    data = entry.read_all(MAX_IMAGE_BYTES)
    if data is None:
        raise ValueError(f"the file is larger than {MAX_IMAGE_BYTES:,} bytes")
    try:
        return source.decode_image(data)
    except Exception as error:  # The decoder is handed in with errors of its own; all mean that it cannot be read.
        raise ValueError(str(error)) from None


class Survey:
    """What the images are called and have in common. Decoding stops as soon as it can change nothing."""

    def __init__(self, source: Source) -> None:
        self.names: list[str] = []
        self._source = source
        self._sizes: set[tuple[int, int]] = set()
        self._has_colour = False

    def add(self, entry: Entry) -> None:
        """Look at an image, if it can change anything."""
        self.names.append(entry.name)
        options = self._source.options
        is_size_settled = options.image_size or len(self._sizes) > 1
        are_channels_settled = options.channels or self._has_colour
        if is_size_settled and are_channels_settled:
            return
        try:
            image = decode(self._source, entry)
        except ValueError:
            return
        self._sizes.add((image.height, image.width))
        self._has_colour |= image.mode not in GREY_MODES

    @property
    def channels(self) -> int:
        """1 if all are grey, else 3, unless the user says otherwise."""
        return self._source.options.channels or (3 if self._has_colour else 1)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) that all are brought to."""
        common = next(iter(self._sizes)) if len(self._sizes) == 1 else None
        return self._source.options.image_size or default_size(common)

    @property
    def fitted(self) -> bool:
        """Whether there are images of another size, or may be."""
        return self._source.options.image_size is not None or self._sizes != {self.size}
