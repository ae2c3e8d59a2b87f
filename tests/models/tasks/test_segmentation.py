from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.data import DataSet
from models.examples import Batch, Examples
from models.losses import CrossEntropy, Dice, LossOptions
from models.tasks import Segmentation

LABELS = ["ground", "cell"]
MASKS = torch.tensor([[[0, 1, 1]], [[0, 0, 0]]], dtype=torch.uint8)
LOGITS = torch.tensor([[[[2.0, 0.0, 1.0]], [[0.0, 3.0, 0.0]]], [[[1.0, 1.0, 1.0]], [[0.0, 0.0, 0.0]]]])
BATCH = Batch(LOGITS, MASKS)
CROSS_ENTROPY = CrossEntropy(name="cross_entropy")


def task(loss: LossOptions = CROSS_ENTROPY) -> Segmentation:
    train = Examples(np.zeros((2, 1, 1, 3), np.uint8), MASKS.numpy(), np.arange(2))
    return Segmentation(DataSet(Path(), {"classes": LABELS}), train, loss)


def test_it_answers_the_probabilities_of_each_pixel() -> None:
    assert task().num_outputs == 2
    assert task().output() == {"name": "probabilities", "dtype": "float32", "shape": [2, 1, 3]}
    torch.testing.assert_close(task().postprocess()(LOGITS), LOGITS.softmax(1))


@pytest.mark.parametrize("loss", [CROSS_ENTROPY, Dice(name="dice")])
def test_the_loss_is_of_pixels(loss: LossOptions) -> None:
    network = nn.Conv2d(2, 2, 1)
    (phase,) = task(loss).phases(network)
    assert phase.parameters == list(network.parameters())
    torch.testing.assert_close(phase.step(BATCH)["loss"], loss.build()(network(LOGITS), MASKS.long()))


def test_validation_has_the_mean_iou_of_the_images() -> None:
    values = task().validate(nn.Identity(), BATCH)
    # In the first image ground has 1 of 2 pixels and cell 1 of 2; in the second all is ground, and rightly so.
    assert float(values["iou"]) == pytest.approx((1 / 2 + 1) / 2)
    assert values["mean_iou"].tolist() == [[4, 1], [5, 2]]
    torch.testing.assert_close(values["loss"], nn.functional.cross_entropy(LOGITS, MASKS.long()))


def test_noise_replaces_classes_by_classes() -> None:
    torch.manual_seed(0)
    noised = task().noised(torch.zeros(1, 100, 100, dtype=torch.uint8), 0.5)
    assert noised.dtype == torch.uint8
    assert set(noised.flatten().tolist()) == {0, 1}
    assert float(noised.float().mean()) == pytest.approx(0.25, abs=0.02)


def test_answers_are_read_as_masks_and_written_at_the_images_size() -> None:
    masks = Segmentation.read(LOGITS.numpy(), {})
    assert masks.dtype == np.uint8
    assert masks.tolist() == [[[0, 1, 0]], [[0, 0, 0]]]
    facts, picture = Segmentation.describe(masks[0], LABELS, (2, 6))
    assert picture is not None
    assert picture.tolist() == [[0, 0, 1, 1, 0, 0]] * 2
    assert facts == {"shares": {"ground": pytest.approx(2 / 3), "cell": pytest.approx(1 / 3)}}


def test_the_baseline_looks_at_no_image() -> None:
    assert Segmentation.guess(MASKS.numpy(), 3, 2).tolist() == [[[0, 0, 0]]] * 3
