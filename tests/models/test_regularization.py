import torch
from torch import nn

from models.regularization import penalty


def test_weights_are_penalised_and_biases_are_not() -> None:
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[3.0, -4.0]]))
        layer.bias.fill_(100.0)
    parameters = list(layer.parameters())
    assert float(penalty(parameters, l1=0.1, l2=0.0).detach()) == torch.tensor(0.7)
    assert float(penalty(parameters, l1=0.0, l2=0.1).detach()) == torch.tensor(2.5)
