"""The server of samples that one writes first: FastAPI, its thread pool, torch's decoder, and Pillow.

`DECODER_WEIGHTS` names the weights (safetensors) of a variational autoencoder with one hidden layer on grey images.
"""

import io
import math
import os

import torch
from fastapi import FastAPI, Response
from PIL import Image
from pydantic import BaseModel, Field
from safetensors.torch import load_file
from starlette.concurrency import run_in_threadpool
from torch import Tensor, nn

GAP = 2
SIZE = 28

torch.set_num_threads(1)


class Wanted(BaseModel):
    """How many samples, and of which seed."""

    n: int = Field(16, ge=1, le=1024)
    seed: int | None = None


def load_decoder(path: str) -> nn.Module:
    """From codes (N, D) to shades from 0 to 1 (N, 784)."""
    weights = {name: tensor for name, tensor in load_file(path).items() if name.startswith("1.decoder.")}
    matrices = [tensor for tensor in weights.values() if tensor.ndim == 2]
    first, second = sorted(matrices, key=lambda matrix: matrix.shape[1])
    biases = {len(tensor): tensor for tensor in weights.values() if tensor.ndim == 1}
    layers = [nn.Linear(each.shape[1], each.shape[0]) for each in (first, second)]
    for layer, matrix in zip(layers, (first, second), strict=True):
        layer.load_state_dict({"weight": matrix, "bias": biases[len(matrix)]})
    return nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.Sigmoid()).eval()


class Sampler:
    """The decoder, and sheets of what it draws."""

    def __init__(self, path: str) -> None:
        self.decoder = load_decoder(path)
        self.code_dim = self.decoder[0].in_features  # type: ignore[index]

    @torch.inference_mode()
    def images(self, codes: Tensor) -> Tensor:
        """uint8 (N, 28, 28)."""
        shades: Tensor = self.decoder(codes)
        return (shades * 255).round().to(torch.uint8).view(-1, SIZE, SIZE)

    def sheet(self, n: int, seed: int | None) -> bytes:
        """A nearly square PNG of `n` samples."""
        generator = torch.Generator()
        generator.seed() if seed is None else generator.manual_seed(seed)
        images = self.images(torch.randn(n, self.code_dim, generator=generator)).numpy()
        columns = math.ceil(math.sqrt(n))
        cell = SIZE + GAP
        sheet = Image.new("L", (columns * cell - GAP, math.ceil(n / columns) * cell - GAP), "white")
        for index, image in enumerate(images):
            row, column = divmod(index, columns)
            sheet.paste(Image.fromarray(image), (column * cell, row * cell))
        buffer = io.BytesIO()
        sheet.save(buffer, "PNG")
        return buffer.getvalue()


app = FastAPI()
sampler = Sampler(os.environ["DECODER_WEIGHTS"]) if "DECODER_WEIGHTS" in os.environ else None


@app.post("/generate")
async def generate(wanted: Wanted) -> Response:
    """Draw samples."""
    assert sampler is not None
    return Response(await run_in_threadpool(sampler.sheet, wanted.n, wanted.seed), media_type="image/png")
