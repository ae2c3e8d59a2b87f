"""Preprocessing as a part of the network: the exported graph takes the raw input.

What a network makes itself, in the scale that it is given, is brought back to raw values by `inverse()`.
The statistics are those of the training rows and are buffers, so they travel with the weights.
Shapes: N examples, C channels, F columns of the table, G features after one-hot coding.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models.data import DataSet
from models.errors import UnsuitableData
from models.examples import Examples
from models.registry import Shape
from shapes.tokens import Tokenizer

Pixels = Literal["standardised", "unit"]
"""The scale of an image: mean 0 and standard deviation 1 in each channel, or from 0 to 1."""

TOKENISED = ("text", "tree")
"""Modalities whose inputs are made tokens before."""
_CHUNK_ROWS = 4096
_FLOAT32_NOISE = 1e-6
_WHITE = 255.0


class ImagePreprocess(nn.Module):
    """uint8 images (N, C, H, W) to floats with mean 0 and standard deviation 1 in each channel."""

    mean_C11: Tensor
    scale_C11: Tensor

    def __init__(self, mean: Tensor, std: Tensor, shape: Shape) -> None:
        super().__init__()
        self.output_shape: Shape = shape
        self.register_buffer("mean_C11", mean.float().view(-1, 1, 1))
        self.register_buffer("scale_C11", _reciprocal(std, mean).view(-1, 1, 1))

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Standardised images (N, C, H, W) in float32."""
        return (images_NCHW.float() - self.mean_C11) * self.scale_C11


class UnitPreprocess(nn.Module):
    """uint8 images (N, C, H, W) to floats from 0 to 1."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.output_shape: Shape = shape

    def forward(self, images_NCHW: Tensor) -> Tensor:
        """Images (N, C, H, W) in float32."""
        return images_NCHW.float() / _WHITE

    def inverse(self) -> nn.Module:
        """From values (N, C, H, W), those beyond 0 and 1 cut off, to uint8 images."""
        return _Pixels()


class _Pixels(nn.Module):
    def forward(self, values_NCHW: Tensor) -> Tensor:
        return (values_NCHW.clamp(0, 1) * _WHITE).round().to(torch.uint8)


class TabularPreprocess(nn.Module):
    """Raw rows (N, F) to features (N, G).

    A numeric column is standardised, a missing value (NaN) being the column's mean, so 0.
    A categorical column becomes one feature a category; a missing or unknown one sets none of them.
    """

    numeric: Tensor
    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, std: Tensor, columns: list[dict[str, Any]]) -> None:
        super().__init__()
        numeric = [index for index, column in enumerate(columns) if column["kind"] == "numeric"]
        self.categorical = [
            (index, len(column["categories"]))
            for index, column in enumerate(columns)
            if column["kind"] == "categorical"
        ]
        self.output_shape: Shape = (len(numeric) + sum(count for _, count in self.categorical),)
        self.register_buffer("numeric", torch.tensor(numeric, dtype=torch.int64))
        self.register_buffer("mean", mean.float()[numeric])
        self.register_buffer("scale", _reciprocal(std, mean)[numeric])
        for index, count in self.categorical:
            self.register_buffer(f"codes_{index}", torch.arange(count, dtype=torch.float32), persistent=False)

    def forward(self, rows_NF: Tensor) -> Tensor:
        """Features (N, G): the numeric columns in their order, then the categories of each other column."""
        numeric = (rows_NF.index_select(1, self.numeric) - self.mean) * self.scale
        parts = [torch.where(numeric.isnan(), torch.zeros_like(numeric), numeric)]
        for index, _ in self.categorical:
            codes = self.get_buffer(f"codes_{index}")
            parts.append((rows_NF[:, index : index + 1] == codes).float())
        return torch.cat(parts, dim=1)

    @property
    def std(self) -> Tensor:
        """The standard deviation of each numeric column; 1 of a constant one."""
        return 1 / self.scale

    def inverse(self) -> nn.Module:
        """From features (N, G) to rows (N, F): numbers in the columns' units, and the most likely categories."""
        return _Rows(self)


class _Rows(nn.Module):
    def __init__(self, preprocess: TabularPreprocess) -> None:
        super().__init__()
        self.numeric = preprocess.numeric.tolist()
        self.categorical = preprocess.categorical
        self.register_buffer("mean", preprocess.mean)
        self.register_buffer("std", preprocess.std)

    def forward(self, features_NG: Tensor) -> Tensor:
        counts = [len(self.numeric), *(count for _, count in self.categorical)]
        numbers_NF, *categories = torch.split(features_NG, counts, dim=1)
        numbers_NF = numbers_NF * self.get_buffer("std") + self.get_buffer("mean")
        columns = dict(zip(self.numeric, torch.split(numbers_NF, 1, dim=1), strict=False))
        for (index, _), each_NK in zip(self.categorical, categories, strict=True):
            columns[index] = each_NK.argmax(dim=1, keepdim=True).float()
        return torch.cat([columns[index] for index in sorted(columns)], dim=1)


class TokenPreprocess(nn.Module):
    """Tokens (N, T, ...) as they are: texts and trees have been made tokens before."""

    def __init__(self, num_tokens: int) -> None:
        super().__init__()
        self.output_shape: Shape = (num_tokens,)

    def forward(self, tokens_NT: Tensor) -> Tensor:
        """The same."""
        return tokens_NT


class SeriesPreprocess(nn.Module):
    """Raw series (N, T, F), each column standardised, a missing value (NaN) being the column's mean, so 0.

    Of series that vary in length a step that is missing as a whole stays so: it may be padding.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: Tensor, std: Tensor, shape: Sequence[int | None]) -> None:
        super().__init__()
        steps, features = shape
        self.output_shape: Shape = (steps or 0, features or 0)
        self.register_buffer("mean", mean.float())
        self.register_buffer("scale", _reciprocal(std, mean))

    def forward(self, series_NTF: Tensor) -> Tensor:
        """Standardised series (N, T, F)."""
        missing = series_NTF.isnan()
        if not self.output_shape[0]:
            missing = missing & (~missing).any(dim=2, keepdim=True)
        return torch.where(missing, torch.zeros_like(series_NTF), (series_NTF - self.mean) * self.scale)


Invertible = UnitPreprocess | TabularPreprocess
"""What has a way back, from values that a network makes to raw ones."""
Preprocess = ImagePreprocess | UnitPreprocess | TabularPreprocess | TokenPreprocess | SeriesPreprocess


def preprocess_for(
    manifest_input: dict[str, Any], modality: str, mean: Tensor, std: Tensor, pixels: Pixels = "standardised"
) -> Preprocess:
    """The preprocessing for a data set's input, given the moments of its training rows.

    The module's `output_shape` is the shape of one preprocessed input.
    """
    if modality == "image":
        shape = tuple(manifest_input["shape"])
        return UnitPreprocess(shape) if pixels == "unit" else ImagePreprocess(mean, std, shape)
    if "tokenizer" in manifest_input:
        return TokenPreprocess(Tokenizer.of(manifest_input["tokenizer"]).num_tokens)
    if modality == "series":
        return SeriesPreprocess(mean, std, manifest_input["shape"])
    return TabularPreprocess(mean, std, manifest_input["columns"])


def fitted(dataset: DataSet, train: Examples, pixels: Pixels = "standardised") -> Preprocess:
    """The preprocessing of a data set's inputs, fitted to these rows.

    Raises:
        UnsuitableData: a column has infinite values.
    """
    mean, std = moments(train, dataset.modality)
    if not bool(mean.isfinite().all()):
        infinite = dataset.input["columns"][int(mean.isfinite().int().argmin())]["name"]
        raise UnsuitableData(f"The column {infinite!r} has infinite values: remove or replace them.")
    return preprocess_for(dataset.input, dataset.modality, mean, std, pixels)


def moments(examples: Examples, modality: str) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, in float64, per channel (C,) or per column (F,); NaN is left out, and so is padding.

    A column without any value has 0 and 0. Two passes, since the formula with one cancels.
    Tokens have none: (0,).
    """
    if modality in TOKENISED:
        return torch.zeros(0), torch.zeros(0)
    axes = {"image": (0, 2, 3), "series": (0, 1)}.get(modality, (0,))
    total = count = squares = torch.zeros((), device=examples.device, dtype=torch.float64)
    for batch in examples.batches(_CHUNK_ROWS):
        values = batch.inputs.double()
        total = total + values.nansum(axes)
        count = count + (~values.isnan()).sum(axes)
    mean = total / count.clamp(min=1)
    centre = mean.view(-1, 1, 1) if modality == "image" else mean
    for batch in examples.batches(_CHUNK_ROWS):
        squares = squares + (batch.inputs.double() - centre).square().nansum(axes)
    return mean.cpu(), (squares / count.clamp(min=1)).sqrt().cpu()


def _reciprocal(std: Tensor, mean: Tensor) -> Tensor:
    """1 / std, and 1 where the values are constant up to float32's resolution, so centre to 0 anyway."""
    constant = std <= _FLOAT32_NOISE * mean.abs().clamp(min=1e-20)
    return torch.where(constant, 1.0, 1.0 / std).float()
