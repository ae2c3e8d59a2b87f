"""Sheets of what a generator draws while it learns, of the same codes each time, as artifacts of the running job."""

from collections.abc import Callable
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.run import JobContext, ProducedFile
from models.training.callbacks.base import Callback

if TYPE_CHECKING:
    from models.training.trainer import Trainer

Sampler = Callable[[torch.nn.Module], torch.nn.Module]
"""From a network, preprocessing included, to a module from codes, and classes, to samples as they are served."""

MAX_SHEETS = 20
COLUMNS = 8
MAX_ROWS = 16
TILE_SIDE = 32
"""Smaller images are enlarged by as many whole times as bring them to this side."""
GAP = 2
WHITE = 255

Pixels = NDArray[np.uint8]


class DrawSamples(Callback):
    """At most 20 sheets of 8×8 images, evenly over the epochs; of a conditional generator a row for each class."""

    def __init__(self, context: JobContext, sampler: Sampler) -> None:
        self.context, self.sampler = context, sampler

    def on_epoch_end(self, trainer: "Trainer") -> None:
        """Draw and store a sheet, if it is due. A full disk costs the sheet, not the training."""
        epochs = trainer.settings.epochs
        if trainer.epoch % ceil(epochs / MAX_SHEETS) and trainer.epoch != epochs:
            return
        path = self.context.scratch / f"samples-epoch-{trainer.epoch:04d}.png"
        try:
            path.write_bytes(self.context.encode_png(contact_sheet(self._drawn(trainer))))
            self.context.report.artifact(ProducedFile(path.name, path, "image/png"))
        except OSError as error:
            self.context.report.log(f"{path.name} was not stored: {error.strerror}", level="warning")

    @torch.inference_mode()
    def _drawn(self, trainer: "Trainer") -> Pixels:
        """Images (N, C, H, W), in rows of 8; each row of a conditional generator is of the same codes."""
        generative, device = trainer.evaluated[1], trainer.compute.device  # type: ignore[index]
        rows = min(generative.num_classes, MAX_ROWS) or COLUMNS
        codes = torch.randn(COLUMNS**2, generative.code_dim, generator=torch.Generator().manual_seed(0)).to(device)
        inputs: list[torch.Tensor] = [codes]
        if generative.num_classes:
            labels = torch.arange(rows, device=device).repeat_interleave(COLUMNS)
            inputs = [codes[:COLUMNS].repeat(rows, 1), labels]
        drawn: Pixels = self.sampler(trainer.evaluated).eval()(*inputs).cpu().numpy()
        return drawn


def contact_sheet(images_NCHW: Pixels, columns: int = COLUMNS) -> NDArray[Any]:
    """Images in rows of so many, small ones enlarged, as one image (C, H, W) on white."""
    times = max(1, TILE_SIDE // max(images_NCHW.shape[2:]))
    tiles = images_NCHW.repeat(times, axis=2).repeat(times, axis=3)
    count, channels, height, width = tiles.shape
    rows = ceil(count / columns)
    sheet = np.full((channels, rows * (height + GAP) + GAP, columns * (width + GAP) + GAP), WHITE, np.uint8)
    for place, tile in enumerate(tiles):
        row, column = divmod(place, columns)
        top, left = GAP + row * (height + GAP), GAP + column * (width + GAP)
        sheet[:, top : top + height, left : left + width] = tile
    return sheet
