"""Data sets drawn from known distributions with a fixed seed, so that what can be learned of them is known.

The docstring of each is its definition. N(m, s²) is the normal distribution of mean m and standard deviation s,
U(a, b) the uniform one from a to b.
"""

import numpy as np

from models.readers.arrays import write_images, write_table
from models.readers.outlines import OUTLINES, turned
from models.readers.source import Source
from models.readers.writer import Array, DatasetWriter, Description

_SEED = 0
_PLANE = ["x1", "x2"]


def polynomial(source: Source, writer: DatasetWriter) -> Description:
    """Regression: y = 4x³ - 3x + N(0, 0.3²) with x of U(-1, 1); 100 rows to train on and 1,000 to test.

    With so few and noisy rows a network can be too small for the curve, and too large for the noise.
    """
    generator = np.random.default_rng(_SEED)

    def drawn(count: int) -> tuple[Array, Array]:
        x = generator.uniform(-1, 1, count)
        return x[:, None], 4 * x**3 - 3 * x + generator.normal(0, 0.3, count)

    return write_table(writer, {"train": drawn(100), "test": drawn(1000)}, ["x"])


def moons(source: Source, writer: DatasetWriter) -> Description:
    """Two half circles of radius 1, one in the other's opening, each point moved by N(0, 0.2²) along either axis."""
    from sklearn.datasets import make_moons

    rows, targets = make_moons(1000, noise=0.2, random_state=_SEED)
    return write_table(writer, {"train": (rows, targets)}, _PLANE, ["upper", "lower"])


def circles(source: Source, writer: DatasetWriter) -> Description:
    """Circles of radius 1 and 0.5 about the origin, each point moved by N(0, 0.1²) along either axis."""
    from sklearn.datasets import make_circles

    rows, targets = make_circles(1000, noise=0.1, factor=0.5, random_state=_SEED)
    return write_table(writer, {"train": (rows, targets)}, _PLANE, ["outer", "inner"])


BLOB_CENTRES = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 3.5]])


def blobs(source: Source, writer: DatasetWriter) -> Description:
    """Three classes of 300 points each, N(centre, 1) along either axis."""
    from sklearn.datasets import make_blobs

    rows, targets = make_blobs([300, 300, 300], centers=BLOB_CENTRES, cluster_std=1.0, random_state=_SEED)
    return write_table(writer, {"train": (rows, targets)}, _PLANE, ["a", "b", "c"])


MIXTURE_WEIGHTS = np.array([0.5, 0.3, 0.2])
MIXTURE_MEANS = np.array([[0.0, 0.0], [3.0, 1.0], [0.0, 4.0]])
MIXTURE_COVARIANCES = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.8], [0.8, 1.0]], [[2.0, -0.9], [-0.9, 0.5]]])


def mixture(source: Source, writer: DatasetWriter) -> Description:
    """A mixture of three normal distributions of the plane, of unequal weights and covariances; the class is the
    component that a point was drawn from."""
    generator = np.random.default_rng(_SEED)
    targets = generator.choice(len(MIXTURE_WEIGHTS), 1500, p=MIXTURE_WEIGHTS)
    roots = np.linalg.cholesky(MIXTURE_COVARIANCES)
    rows = MIXTURE_MEANS[targets] + np.einsum("nij,nj->ni", roots[targets], generator.normal(size=(1500, 2)))
    return write_table(writer, {"train": (rows, targets)}, _PLANE, ["a", "b", "c"])


def distributions(source: Source, writer: DatasetWriter) -> Description:
    """Which distribution are 32 numbers, sorted, drawn from? All have mean 0 and variance 1: only their shapes differ.

    Normal; uniform; Laplace; exponential, less its mean; a fair coin of -1 and 1; Poisson of rate 1, less its mean.
    """
    generator = np.random.default_rng(_SEED)
    shape = (400, 32)
    drawn = {
        "normal": generator.normal(size=shape),
        "uniform": generator.uniform(-(3**0.5), 3**0.5, shape),
        "laplace": generator.laplace(scale=0.5**0.5, size=shape),
        "exponential": generator.exponential(size=shape) - 1,
        "bernoulli": 2.0 * generator.integers(0, 2, shape) - 1,
        "poisson": generator.poisson(1.0, shape) - 1.0,
    }
    rows, targets = np.sort(np.concatenate(list(drawn.values()))), np.repeat(np.arange(len(drawn)), shape[0])
    columns = [f"rank_{k}" for k in range(1, shape[1] + 1)]
    return write_table(writer, {"train": (rows, targets)}, columns, list(drawn))


COUNT_COEFFICIENTS = np.array([0.5, -0.3, 0.2, 0.0])
COUNT_INTERCEPT = 1.0


def counts(source: Source, writer: DatasetWriter) -> Description:
    """Regression of counts: Poisson of rate exp(1 + 0.5 x₁ - 0.3 x₂ + 0.2 x₃), with x₁ to x₄ of N(0, 1)."""
    generator = np.random.default_rng(_SEED)
    rows = generator.normal(size=(2000, len(COUNT_COEFFICIENTS)))
    targets = generator.poisson(np.exp(COUNT_INTERCEPT + rows @ COUNT_COEFFICIENTS))
    return write_table(writer, {"train": (rows, targets)}, ["x1", "x2", "x3", "x4"])


def shapes(source: Source, writer: DatasetWriter) -> Description:
    """2,000 grey images of 28 by 28 pixels: a filled circle, square, triangle or cross.

    The centre is of U(10, 18) along either axis, the size of U(5, 9) pixels, the turn any, the ground of U(0, 80),
    the shape brighter than that by U(70, 150), and each pixel is moved by N(0, 10²).
    """
    generator = np.random.default_rng(_SEED)
    per_class, side = 500, 28
    images = np.concatenate([_pictures(name, per_class, side, generator) for name in OUTLINES])
    targets = np.repeat(np.arange(len(OUTLINES)), per_class)
    return write_images(source, writer, images, targets, list(OUTLINES))


def _pictures(shape: str, count: int, side: int, generator: np.random.Generator) -> Array:
    """Pictures (count, side, side) of one shape; a pixel on its edge is covered in part."""

    def drawn(low: float, high: float) -> Array:
        return generator.uniform(low, high, (count, 1, 1))

    pixel = np.arange(side) + 0.5
    x, y = pixel[None, None, :] - drawn(10, 18), pixel[None, :, None] - drawn(10, 18)
    size, turn, ground, contrast = drawn(5, 9), drawn(0, 2 * np.pi), drawn(0, 80), drawn(70, 150)
    across, along = turned(x, y, turn)
    covered = np.clip(0.5 - OUTLINES[shape](across / size, along / size) * size, 0, 1)
    noisy = ground + contrast * covered + generator.normal(0, 10, (count, side, side))
    return noisy.round().clip(0, 255).astype(np.uint8)
