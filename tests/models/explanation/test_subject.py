"""What is explained of one architecture can be explained of every one."""

import numpy as np
import pytest
import torch
from torch import nn

from models import registry
from models.explanation.attribution import Question, attribute
from models.explanation.subject import Subject
from models.registry import Architecture

SIDE = 32
CLASSIFIERS = [
    architecture
    for architecture in registry.architectures()
    if "image" in architecture.modality and "classification" in architecture.tasks
]


@pytest.mark.parametrize("architecture", CLASSIFIERS, ids=lambda architecture: architecture.name)
def test_every_classifier_of_images_has_layers_and_gradients(architecture: Architecture) -> None:
    torch.manual_seed(0)
    side = max(SIDE, architecture.smallest_side)
    network = architecture.configure({}).build((3, side, side), 2).eval().requires_grad_(False)
    signature = {"modality": "image", "labels": ["a", "b"], "input": {"shape": [3, side, side]}}
    subject = Subject(nn.Identity(), network, architecture.name, signature)
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)]
    assert {layer.name for layer in subject.convolutions} == set(names)
    methods = ["saliency", *(["grad_cam"] if names else [])]
    for method in methods:
        question = Question(subject, torch.randn(1, 3, side, side), 1, subject.layer(None) if names else None)
        found = attribute(method, question)
        assert found.shape == (side, side)
        assert np.isfinite(found).all()
