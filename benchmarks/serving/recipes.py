"""What is served: two networks trained on Fashion-MNIST, and the image that every request carries."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.serving import fashion_mnist
from benchmarks.serving.gateway import Recipe, Trained, train
from benchmarks.serving.peers.classifier import Classifier

# One of the largest test images as a PNG: 811 bytes, where 515 are usual.
IMAGE = 2189
RESNET_SIZE = 224
RESNET_TRAIN, RESNET_TEST = 2000, 1000


@contextmanager
def home(kept: Path | None) -> Iterator[Path]:
    """The directory of the service's state: the one that is kept, or a temporary one."""
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.absolute()
        return
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def lenet(directory: Path) -> Trained:
    """LeNet on 28×28 grey images."""
    training = {"epochs": 2, "batch_size": 64, "device": "cpu"}
    return train(directory, Recipe("lenet", "lenet", {}, training, fashion_mnist.upload(20_000, 2000), {}))


def resnet(directory: Path) -> Trained:
    """ResNet-18 on 224×224 colour images, and an int8 variant of it. Minutes on two cores."""
    training = {"epochs": 2, "batch_size": 32, "device": "cpu", "scheduler": {"name": "cosine"}}
    upload = fashion_mnist.upload(RESNET_TRAIN, RESNET_TEST)
    options = {"image_size": RESNET_SIZE, "channels": 3}
    return train(directory, Recipe("resnet", "resnet", {"depth": 18}, training, upload, options, ("int8",)))


def png() -> bytes:
    """A 28×28 grey PNG."""
    return fashion_mnist.picture(IMAGE, size=28, mode="L", file_format="PNG")


def jpeg() -> bytes:
    """A 224×224 colour JPEG."""
    return fashion_mnist.picture(IMAGE, size=RESNET_SIZE, mode="RGB", file_format="JPEG")


def expected(trained: Trained, file: bytes) -> list[float]:
    """The probabilities (K) of an image file by ONNX Runtime in this process."""
    os.environ["CLASSIFIER_ONNX"] = str(trained.onnx)
    (answer,) = Classifier().classify([file])
    return list(answer["probabilities"])
