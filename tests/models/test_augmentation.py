import torch

from models.augmentation import AUGMENTATIONS, crop, flip


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
