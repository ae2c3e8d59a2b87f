from typing import get_args

import pytest
import torch

from models.examples import Batch
from models.training.augmentation import (
    AUGMENTATIONS,
    MAX_CHANGE,
    NOISE_STD,
    augmented,
    brightness,
    contrast,
    crop,
    erase,
    flip,
    noise,
    rotate,
)
from models.training.settings import Augmentation


def images() -> torch.Tensor:
    return torch.randint(1, 256, (64, 3, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_flip_mirrors_about_half_of_the_images() -> None:
    torch.manual_seed(0)
    before = images()
    after = flip(before)
    mirrored = (after == before.flip(-1)).flatten(1).all(1)
    kept = (after == before).flatten(1).all(1)
    assert (mirrored ^ kept).all()
    assert 16 < int(mirrored.sum()) < 48


def test_crop_shifts_each_image_by_up_to_an_eighth() -> None:
    torch.manual_seed(0)
    before = images()
    after = crop(before)
    shifts: set[tuple[int, int]] = set()
    for old, new in zip(before, after, strict=True):
        padded = torch.nn.functional.pad(old, (3, 3, 2, 2))
        windows = {(y, x): padded[:, y : y + 16, x : x + 24] for y in range(5) for x in range(7)}
        shifts.update(place for place, window in windows.items() if torch.equal(window, new))
    assert len(shifts) > 15


def test_augmentation_keeps_shape_and_type_and_follows_the_seed() -> None:
    for augment in AUGMENTATIONS.values():
        torch.manual_seed(1)
        first = augment(images())
        torch.manual_seed(1)
        assert torch.equal(first, augment(images()))
        assert (first.shape, first.dtype) == (images().shape, torch.uint8)


def test_every_augmentation_that_can_be_asked_for_is_there() -> None:
    assert tuple(AUGMENTATIONS) == get_args(Augmentation)


def test_the_batch_is_left_as_it_was() -> None:
    before = images()
    for augment in AUGMENTATIONS.values():
        augment(before)
        assert torch.equal(before, images())


def test_rotation_keeps_the_centre_and_turns_by_up_to_15_degrees() -> None:
    """A bright dot on the middle axis of a picture that is wider than high: its angle is that of the turn."""
    torch.manual_seed(0)
    dots = torch.zeros(200, 1, 33, 65, dtype=torch.uint8)
    dots[:, :, 15:18, 31:34] = 255
    assert float(rotate(dots).float()[:, 0, 15:18, 31:34].mean()) > 230
    dots.zero_()
    dots[:, :, 15:18, 55:58] = 255
    turned = rotate(dots).float()[:, 0]
    weight = turned.sum(dim=(1, 2))
    y = (turned.sum(dim=2) * torch.arange(33)).sum(dim=1) / weight - 16
    x = (turned.sum(dim=1) * torch.arange(65)).sum(dim=1) / weight - 32
    angle = torch.rad2deg(torch.atan2(y, x))
    assert 12 < float(angle.max()) < 15.5
    assert -15.5 < float(angle.min()) < -12
    torch.testing.assert_close(torch.hypot(x, y), torch.full_like(x, 24.0), atol=0.3, rtol=0)


def test_erasing_overwrites_a_rectangle_of_half_of_the_images() -> None:
    torch.manual_seed(0)
    before = torch.full((1000, 1, 32, 32), 7, dtype=torch.uint8)
    changed = (erase(before) != before)[:, 0]
    areas = changed.sum(dim=(1, 2))
    assert 420 < int((areas > 0).sum()) < 530
    assert float(areas.max()) <= 0.25 * 32 * 32 * 1.2  # sides are rounded up to whole pixels
    for mask in changed[areas > 0]:
        rows, columns = mask.any(1).nonzero(), mask.any(0).nonzero()
        box = mask[int(rows.min()) : int(rows.max()) + 1, int(columns.min()) : int(columns.max()) + 1]
        assert float(box.float().mean()) > 0.8  # what is drawn can be the old value by chance


def test_noise_has_its_standard_deviation() -> None:
    torch.manual_seed(0)
    before = torch.full((16, 1, 32, 32), 128, dtype=torch.uint8)
    difference = noise(before).float() - 128
    assert float(difference.mean()) == pytest.approx(0.0, abs=0.5)
    assert float(difference.std()) == pytest.approx(NOISE_STD, rel=0.03)


def test_brightness_multiplies_and_contrast_spreads_about_the_mean() -> None:
    torch.manual_seed(0)
    before = torch.randint(60, 140, (256, 3, 8, 8), dtype=torch.uint8)
    factors = brightness(before).float().mean(dim=(1, 2, 3)) / before.float().mean(dim=(1, 2, 3))
    spread = contrast(before).float()
    torch.testing.assert_close(spread.mean(dim=(1, 2, 3)), before.float().mean(dim=(1, 2, 3)), atol=0.2, rtol=0)
    for ratios in (factors, spread.std(dim=(1, 2, 3)) / before.float().std(dim=(1, 2, 3))):
        assert float(ratios.min()) == pytest.approx(1 - MAX_CHANGE, abs=0.03)
        assert float(ratios.max()) == pytest.approx(1 + MAX_CHANGE, abs=0.03)


def test_pixels_stay_in_their_range() -> None:
    torch.manual_seed(0)
    for value in (0, 255):
        extreme = torch.full((64, 1, 8, 8), value, dtype=torch.uint8)
        for augment in (noise, brightness, contrast):
            changed = augment(extreme).float()
            assert float((changed - value).abs().max()) < 128  # and has not wrapped around


@pytest.mark.parametrize("name", ["flip", "crop", "rotate"])
def test_masks_move_with_their_images(name: str) -> None:
    torch.manual_seed(0)
    masks = torch.randint(1, 4, (20, 16, 16), dtype=torch.uint8)
    images = 60 * masks[:, None].expand(-1, 3, -1, -1)
    moved = augmented(name, Batch(images, masks))
    assert not torch.equal(moved.targets, masks)
    assert torch.equal(moved.inputs, 60 * moved.targets[:, None].expand(-1, 3, -1, -1))


@pytest.mark.parametrize("name", ["erase", "noise", "brightness", "contrast"])
def test_what_moves_no_pixels_leaves_masks_alone(name: str) -> None:
    torch.manual_seed(0)
    masks = torch.ones(20, 8, 8, dtype=torch.uint8)
    images = torch.randint(50, 150, (20, 1, 8, 8), dtype=torch.uint8)
    changed = augmented(name, Batch(images, masks))
    assert not torch.equal(changed.inputs, images)
    assert changed.targets is masks
