"""How probable the tokens of texts are, each told those before it.

A text begins with a mark: one for all, or one for each class, which so conditions all that follows (Keskar et al.
2019). It ends with another, whose probability counts too.
Shapes: N rows, T tokens, the end's mark included, K different tokens.
"""

from typing import cast

import torch
from torch import Tensor, nn

from models.preprocess import TokenPreprocess
from models.recurrent import RecurrentNetwork
from shapes.tokens import BEGIN, NO_TARGET, PADDING


def parts_of(network: nn.Module) -> tuple[TokenPreprocess, RecurrentNetwork]:
    """A network's preprocessing, and what is behind it."""
    preprocess, recurrent = cast(nn.Sequential, network)
    return cast(TokenPreprocess, preprocess), cast(RecurrentNetwork, recurrent)


def marks(num_tokens: int, label_N: Tensor | None, like_N: Tensor) -> Tensor:
    """The marks (N,) that texts of these classes begin with; without classes, of as many rows as the third."""
    return torch.full_like(like_N, BEGIN) if label_N is None else num_tokens + label_N


def logits(network: nn.Module, tokens_NT: Tensor, label_N: Tensor | None) -> Tensor:
    """Of each token, told those before it (N, T, K)."""
    preprocess, recurrent = parts_of(network)
    tokens_NT = preprocess(tokens_NT).long()
    begin_N = marks(preprocess.output_shape[0], label_N, tokens_NT[:, 0])
    return recurrent.transduce(torch.cat([begin_N[:, None], tokens_NT[:, :-1]], dim=1))


def targets(tokens_NT: Tensor) -> Tensor:
    """Tokens (N, T) with `NO_TARGET` for padding."""
    return torch.where(tokens_NT == PADDING, torch.full_like(tokens_NT, NO_TARGET), tokens_NT).long()


def log_probabilities(logits_NTK: Tensor, tokens_NT: Tensor) -> tuple[Tensor, Tensor]:
    """The logarithm (N,) of each text's probability, and how many tokens it has (N,)."""
    is_token_NT = tokens_NT != PADDING
    logs_NT = logits_NTK.log_softmax(dim=2).gather(2, tokens_NT.long()[:, :, None])[:, :, 0]
    return (logs_NT * is_token_NT).sum(dim=1), is_token_NT.long().sum(dim=1)
