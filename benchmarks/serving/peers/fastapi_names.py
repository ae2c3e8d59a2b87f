"""The server of names that one writes first: FastAPI, its thread pool, and torch's network.

`NAMES_WEIGHTS` names the weights (safetensors) of a bidirectional LSTM with one layer, `NAMES_SIGNATURE` the JSON that
has its vocabulary and its labels.
"""

import json
import os
from pathlib import Path
from typing import Any

import torch
from fastapi import FastAPI
from pydantic import BaseModel
from safetensors.torch import load_file
from starlette.concurrency import run_in_threadpool
from torch import Tensor, nn

UNKNOWN, FIRST = 1, 2

torch.set_num_threads(1)


class Name(BaseModel):
    """What is to be classified."""

    text: str


class Network(nn.Module):
    """Embeddings, an LSTM in both directions, and a linear map of the two last states."""

    def __init__(self, num_tokens: int, embedding_dim: int, hidden_dim: int, num_classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_tokens, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim, bidirectional=True, batch_first=True)
        self.output = nn.Linear(2 * hidden_dim, num_classes)

    def forward(self, tokens_NT: Tensor) -> Tensor:
        """Logits (N, K) of texts of one length."""
        _, (last_2NH, _) = self.lstm(self.embedding(tokens_NT))
        logits: Tensor = self.output(torch.cat([last_2NH[0], last_2NH[1]], dim=1))
        return logits


def load_network(path: str) -> Network:
    """The network with its weights."""
    weights = {name.removeprefix("1."): tensor for name, tensor in load_file(path).items()}
    for name in [name for name in weights if name.startswith("layers.")]:
        _, _, _, direction, parameter = name.split(".")
        weights[f"lstm.{parameter}{'_reverse' if direction == '1' else ''}"] = weights.pop(name)
    (num_tokens, embedding_dim), hidden_dim = weights["embedding.weight"].shape, weights["lstm.weight_hh_l0"].shape[1]
    network = Network(num_tokens, embedding_dim, hidden_dim, len(weights["output.bias"]))
    network.load_state_dict(weights)
    return network.eval()


class Classifier:
    """The network, its vocabulary and its classes."""

    def __init__(self, weights: str, signature: str) -> None:
        described = json.loads(Path(signature).read_text("utf-8"))
        vocabulary = described["input"]["tokenizer"]["vocabulary"]
        self.numbers = {character: number for number, character in enumerate(vocabulary, FIRST)}
        self.labels = described["labels"]
        self.network = load_network(weights)

    @torch.inference_mode()
    def classify(self, text: str) -> dict[str, Any]:
        """The best class, and all probabilities (K)."""
        tokens_1T = torch.tensor([[self.numbers.get(character, UNKNOWN) for character in text]])
        probabilities_K = self.network(tokens_1T).softmax(dim=1)[0]
        return {"label": self.labels[int(probabilities_K.argmax())], "probabilities": probabilities_K.tolist()}


app = FastAPI()
classifier = Classifier(os.environ["NAMES_WEIGHTS"], os.environ["NAMES_SIGNATURE"])


@app.post("/predict")
async def predict(name: Name) -> dict[str, Any]:
    """Classify one name."""
    return await run_in_threadpool(classifier.classify, name.text)
