"""What keeps a code sparse, and an encoder from following every change of its input.

Shapes: N examples, D numbers of a code, F numbers of an input.
"""

from collections.abc import Callable
from math import log

import torch
from torch import Tensor, nn

_MARGIN = 1e-6


def l1_sparsity(code_ND: Tensor) -> Tensor:
    """The sum of the absolute numbers of a code, the mean () over the batch."""
    return code_ND.float().abs().sum(dim=1).mean()


def kl_sparsity(code_ND: Tensor, target: float) -> Tensor:
    """Σ_d ρ log(ρ / ρ̂_d) + (1 - ρ) log((1 - ρ) / (1 - ρ̂_d)) (), ρ̂_d the batch's mean of a unit between 0 and 1.

    Source: Ng 2011, CS294A lecture notes: Sparse autoencoder.
    """
    found_D = code_ND.float().mean(dim=0).clamp(_MARGIN, 1 - _MARGIN)
    active_D = target * (log(target) - found_D.log())
    silent_D = (1 - target) * (log(1 - target) - (1 - found_D).log())
    return (active_D + silent_D).sum()


def hoyer_sparsity(code_ND: Tensor) -> Tensor:
    """(√D - ‖c‖₁ / ‖c‖₂) / (√D - 1) of each code (N,): 0 where all numbers are alike, 1 where all but one are 0.

    It does not depend on the code's scale. Source: Hoyer 2004, Non-negative matrix factorization with sparseness
    constraints. A code of zeros, or of one number, counts as 1.
    """
    root = code_ND.shape[1] ** 0.5
    ratio_N = code_ND.abs().sum(dim=1) / code_ND.norm(dim=1).clamp(min=_MARGIN)
    return ((root - ratio_N.clamp(min=1)) / (root - 1)) if root > 1 else torch.ones_like(ratio_N)


def contraction(encode: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """An estimate (N,) of ‖∂code/∂x‖², the squared Frobenius norm of the encoder's Jacobian at each input.

    For v of independent signs E ‖vᵀJ‖² is that norm (Hutchinson 1989), so that one more backward pass serves a code
    of any size; its own gradient takes a second one. Source: Rifai et al. 2011, Contractive auto-encoders.
    """
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        code_ND = encode(x)
        signs_ND = torch.randint_like(code_ND, 2) * 2 - 1
        (row,) = torch.autograd.grad(code_ND, x, signs_ND, create_graph=True)
    return row.flatten(1).square().sum(dim=1)


def contraction_of_layer(layer: nn.Linear, activation: nn.Module, x_NF: Tensor) -> Tensor:
    """The same norm (N,) of one layer g(a), a = Wx + b, exactly: Σ_d g'(a_d)² ‖W_d‖²."""
    with torch.enable_grad():
        a_ND = layer(x_NF)
        if not a_ND.requires_grad:
            a_ND.requires_grad_()
        (slopes_ND,) = torch.autograd.grad(activation(a_ND).sum(), a_ND, create_graph=True)
    norms_N: Tensor = slopes_ND.square() @ layer.weight.square().sum(dim=1)
    return norms_N
