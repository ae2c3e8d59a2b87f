"""Training throughput of LeNet on 60,000 images of 28×28: our trainer beside loops written by hand.

Every loop trains the same network with Adam in batches of 64 for one epoch a round, in turns, so that
whatever else the machine does falls on all of them; ratios are taken within a round. Loops:

- by hand: float32 images in memory, a permutation an epoch, an index a batch;
- by hand, tuned: the same with fused Adam and channels-last memory, as the trainer chooses them;
- DataLoader: the same over `TensorDataset`, in the main process (workers were slower with data in memory);
- Lightning: its Trainer without logger, checkpoints and progress bar; left out where it is not installed.

Run with `python -m benchmarks.training_throughput [--rounds N] [--images N]`. Fashion-MNIST is used when
`SYLLABUS_TEST_DATA` names a directory that holds `fashion-mnist`, random images otherwise.
"""

import argparse
import gzip
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from models import registry
from models.data import DataSet
from models.examples import Examples
from models.preprocess import ImagePreprocess
from models.run import Wish
from models.tasks import Classification, with_loss
from models.training.callbacks import Checkpointing, KeepBest, Reporting
from models.training.device import choose
from models.training.settings import training_settings
from models.training.trainer import Trainer, seed_everything

BATCH_SIZE = 64
OURS = "Syllabus"
MEAN, STD = 73.0, 90.0

Loop = Callable[[Tensor, Tensor], None]


class Silent:
    """A reporter that nobody listens to."""

    def progress(
        self, fraction: float, *, epoch: int | None = None, step: int | None = None, eta_seconds: float | None = None
    ) -> None:
        """Drop it."""

    def metric(self, series: str, step: int, value: float) -> None:
        """Drop it."""

    def log(self, message: str, *, level: str = "info") -> None:
        """Drop it."""

    def artifact(self, file: object) -> None:
        """Drop it."""

    def suggested(self, parameters: object, attributes: object) -> None:
        """Drop it."""

    def wish(self) -> Wish | None:
        """Nothing."""
        return None


def syllabus(images: Tensor, labels: Tensor) -> None:
    """The trainer with the callbacks of a train job."""
    train_by_syllabus(images, labels, lenet())


def train_by_syllabus(images: Tensor, labels: Tensor, classifier: nn.Module, precision: str = "float32") -> None:
    """One epoch of any classifier of these images."""
    request = {"epochs": 1, "batch_size": BATCH_SIZE, "precision": precision}
    settings = with_loss(training_settings(request), "classification")
    assert settings.loss is not None
    examples = Examples(images.numpy(), labels.numpy(), np.arange(len(images)))
    task = Classification(DataSet(Path(), {"classes": list("0123456789")}), examples, settings.loss)
    network = nn.Sequential(ImagePreprocess(torch.tensor([MEAN]), torch.tensor([STD]), (1, 28, 28)), classifier)
    callbacks = [Reporting(Silent()), KeepBest("val_loss"), Checkpointing(Path(), 1e9, Silent())]
    Trainer(network, task, examples, None, settings, choose(settings), callbacks).fit()


def by_hand(images: Tensor, labels: Tensor) -> None:
    """The loop that one writes first."""
    train_by_hand(images, labels, lenet(), fused=None, memory_format=torch.contiguous_format)


def by_hand_tuned(images: Tensor, labels: Tensor) -> None:
    """The same with what makes it faster on a CPU."""
    train_by_hand(images, labels, lenet(), fused=True, memory_format=torch.channels_last)


def train_by_hand(
    images: Tensor, labels: Tensor, network: nn.Module, *, fused: bool | None, memory_format: torch.memory_format
) -> None:
    """One epoch over tensors in memory."""
    inputs = normalized(images).contiguous(memory_format=memory_format)
    network = network.to(memory_format=memory_format)  # type: ignore[call-overload]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=fused)
    loss_function = nn.CrossEntropyLoss()
    network.train()
    order = torch.randperm(len(inputs))
    for start in range(0, len(inputs), BATCH_SIZE):
        index = order[start : start + BATCH_SIZE]
        loss = loss_function(network(inputs[index]), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def data_loader(images: Tensor, labels: Tensor) -> None:
    """One epoch over a DataLoader."""
    loader = DataLoader(TensorDataset(normalized(images), labels), batch_size=BATCH_SIZE, shuffle=True)
    network = lenet()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_function = nn.CrossEntropyLoss()
    network.train()
    for batch, targets in loader:
        loss = loss_function(network(batch), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def lightning_loop() -> Loop | None:
    """One epoch by Lightning's Trainer; None where it is not installed."""
    try:
        import lightning  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        print("Lightning is not installed: it is left out.\n")
        return None

    class Module(lightning.LightningModule):  # type: ignore[misc]
        """LeNet with cross-entropy and Adam."""

        def __init__(self) -> None:
            super().__init__()
            self.network = lenet()
            self.loss_function = nn.CrossEntropyLoss()

        def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
            """The loss of a batch."""
            loss: Tensor = self.loss_function(self.network(batch[0]), batch[1])
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            """Adam."""
            return torch.optim.Adam(self.parameters(), lr=1e-3)

    def loop(images: Tensor, labels: Tensor) -> None:
        loader = DataLoader(TensorDataset(normalized(images), labels), batch_size=BATCH_SIZE, shuffle=True)
        trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(Module(), loader)

    return loop


def lenet() -> nn.Module:
    """The network that every loop trains."""
    return registry.get("lenet").configure({}).build((1, 28, 28), 10)


def normalized(images: Tensor) -> Tensor:
    """Standardised float32 images."""
    return (images.float() - MEAN) / STD


def data(count: int) -> tuple[Tensor, Tensor]:
    """uint8 images (N, 1, 28, 28) and labels (N,)."""
    root = os.environ.get("SYLLABUS_TEST_DATA")
    directory = Path(root or "") / "fashion-mnist"
    if root is None or not directory.is_dir():
        generator = torch.Generator().manual_seed(0)
        images = torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=generator)
        return images, torch.randint(0, 10, (count,), generator=generator)
    with gzip.open(directory / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:count]
    with gzip.open(directory / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)[:count]
    return torch.from_numpy(pixels.copy()), torch.from_numpy(labels.astype(np.int64))


def main() -> None:
    """Print the images a second of each loop, and our ratio to it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--images", type=int, default=60_000)
    options = parser.parse_args()
    images, labels = data(options.images)
    loops: dict[str, Loop] = {
        OURS: syllabus,
        "by hand": by_hand,
        "by hand, tuned": by_hand_tuned,
        "DataLoader": data_loader,
    }
    if (lightning := lightning_loop()) is not None:
        loops["Lightning"] = lightning
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(options.rounds + 1):
        # Every other round backwards, so that none is always the one after a warm or a hot machine.
        for name, loop in sorted(loops.items(), reverse=number % 2 == 0):
            seed_everything(number)
            # Round 0 warms up on a few batches.
            rows = slice(None) if number else slice(0, 20 * BATCH_SIZE)
            started_at = time.perf_counter()
            loop(images[rows], labels[rows])
            if number:
                seconds[name].append(time.perf_counter() - started_at)
    print(f"{torch.get_num_threads()} threads, {options.rounds} rounds of {len(images):,} images\n")
    print("| loop | images/s, median | Syllabus is, median (least to most) |\n|---|---|---|")
    for name, times in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(times, seconds[OURS], strict=True)]
        ratio = f"{statistics.median(ratios):.2f}× ({min(ratios):.2f} to {max(ratios):.2f})"
        speed = len(images) / statistics.median(times)
        print(f"| {name} | {speed:,.0f} | {'' if name == OURS else ratio} |")


if __name__ == "__main__":
    main()
