"""The demo's data: scanned handwritten digits, as a folder of labelled images in a zip.

Source: the 1,797 test samples of "Optical Recognition of Handwritten Digits" (E. Alpaydin, C. Kaynak,
UCI Machine Learning Repository, 1998), 8×8 pixels of 17 grey levels, as scikit-learn bundles them.
"""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

# The size that LeNet was drawn for.
SIDE_PIXELS = 32
MAX_LEVEL = 16
_SHADES = " ░▒▓█"


@dataclass(frozen=True)
class Digit:
    """One scan: float (8, 8) from 0 (paper) to 16 (ink), and what its writer meant."""

    pixels: NDArray[np.float64]
    label: int

    def png(self) -> bytes:
        """The scan as a greyscale PNG of 32×32 pixels, ink white."""
        grey = Image.fromarray((self.pixels * (255 / MAX_LEVEL)).astype(np.uint8))
        buffer = io.BytesIO()
        grey.resize((SIDE_PIXELS, SIDE_PIXELS), Image.Resampling.BILINEAR).save(buffer, format="PNG")
        return buffer.getvalue()

    def picture(self) -> list[str]:
        """The scan as eight lines of text, two characters a pixel."""
        levels = np.round(self.pixels * ((len(_SHADES) - 1) / MAX_LEVEL)).astype(int)
        return ["".join(_SHADES[level] * 2 for level in row) for row in levels]


@dataclass(frozen=True)
class Digits:
    """The scans in three parts; the model sees `held_out` (one of each digit) only when it is asked."""

    train: list[Digit]
    test: list[Digit]
    held_out: list[Digit]

    @classmethod
    def load(cls) -> "Digits":
        """Split the scans: one of each digit held out, a fifth of the others for the test; always the same."""
        bunch = load_digits()
        scans = [Digit(pixels, int(label)) for pixels, label in zip(bunch.images, bunch.target, strict=True)]
        firsts = {label: next(i for i, scan in enumerate(scans) if scan.label == label) for label in range(10)}
        others = [scan for i, scan in enumerate(scans) if i not in firsts.values()]
        train, test = train_test_split(others, test_size=0.2, random_state=0, stratify=[scan.label for scan in others])
        return cls(train, test, [scans[index] for index in firsts.values()])

    def write_zip(self, path: Path) -> None:
        """Write `train/<label>/<n>.png` and `test/<label>/<n>.png` into a zip."""
        with zipfile.ZipFile(path, "w") as archive:
            for split, scans in (("train", self.train), ("test", self.test)):
                for number, scan in enumerate(scans):
                    archive.writestr(f"{split}/{scan.label}/{number:04}.png", scan.png())
