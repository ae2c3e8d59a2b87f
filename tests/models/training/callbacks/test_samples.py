import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from models.run import JobContext, ProducedFile
from models.training.callbacks import DrawSamples
from models.training.callbacks.samples import contact_sheet
from tests.models.running import Recorder, context_of


class Painter(nn.Module):
    """Draws 4×4 images whose grey is the code's first number, and whose first pixel is the label."""

    code_dim = 2

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def forward(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        images = (codes[:, 0] * 40 + 128).clamp(0, 255).to(torch.uint8)[:, None, None, None].repeat(1, 1, 4, 4)
        if labels is not None:
            images[:, 0, 0, 0] = labels.to(torch.uint8)
        return images


def run(context: JobContext, epochs: int, num_classes: int = 0) -> None:
    network = nn.Sequential(nn.Identity(), Painter(num_classes))
    compute = SimpleNamespace(device=torch.device("cpu"))
    callback = DrawSamples(context, lambda network: network[1])  # type: ignore[index]
    for epoch in range(1, epochs + 1):
        trainer: Any = SimpleNamespace(
            epoch=epoch, settings=SimpleNamespace(epochs=epochs), evaluated=network, compute=compute
        )
        callback.on_epoch_end(trainer)


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(png)))


@pytest.mark.parametrize(("epochs", "count"), [(1, 1), (20, 20), (39, 20), (41, 14), (1000, 20)])
def test_the_sheets_are_few_and_the_last_epoch_has_one(tmp_path: Path, epochs: int, count: int) -> None:
    report = Recorder()
    run(context_of(tmp_path, "train", {}, report=report), epochs)
    assert len(report.artifacts) == count
    assert list(report.artifacts)[-1] == f"samples-epoch-{epochs:04d}.png"


def test_every_sheet_is_of_the_same_codes_and_no_random_number_is_taken(tmp_path: Path) -> None:
    report, state = Recorder(), torch.get_rng_state()
    run(context_of(tmp_path, "train", {}, report=report), 3)
    assert torch.equal(torch.get_rng_state(), state)
    first, *others = report.artifacts.values()
    assert pixels(first).shape == (8 * 34 + 2, 8 * 34 + 2)
    assert others == [first] * 2


def test_a_conditional_generator_has_a_row_for_each_class(tmp_path: Path) -> None:
    report = Recorder()
    run(context_of(tmp_path, "train", {}, report=report), 1, num_classes=3)
    (sheet,) = map(pixels, report.artifacts.values())
    assert sheet.shape[0] == 3 * 34 + 2
    assert [sheet[2 + 34 * row, 2] for row in range(3)] == [0, 1, 2]
    np.testing.assert_array_equal(sheet[33, 2::34], sheet[33 + 34, 2::34])


def test_a_full_disk_costs_the_sheet_alone(tmp_path: Path) -> None:
    class FullDisk(Recorder):
        def artifact(self, file: ProducedFile) -> None:
            raise OSError(28, "No space left on device")

    report = FullDisk()
    run(context_of(tmp_path, "train", {}, report=report), 2)
    assert report.lines == [
        f"warning: samples-epoch-000{epoch}.png was not stored: No space left on device" for epoch in (1, 2)
    ]


def test_a_sheet_has_its_images_in_rows() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 40, 30), np.uint8)
    sheet = contact_sheet(images, columns=3)
    assert sheet.shape == (3, 2 * 42 + 2, 3 * 32 + 2)
    assert sheet[0, 2, 2] == 0
    assert sheet[2, 44, 34] == 4
    assert sheet[1, 44, 66] == 255
