"""The graphs of a network that translates: `model` answers whole rows, `encoder` and `decoder` go step by step.

`model` writes the most probable token each time, in a loop of its own, so that a request is one run. Whoever wants to
choose otherwise, as beam search does, runs `encoder` once and `decoder` for each token: what it gives as `next_state`
is the `state` of the next step.
Shapes: N rows, T tokens read, L tokens written, K different tokens, H numbers in a token's memory, D layers, S numbers
carried by a layer.
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.examples import Batch
from models.graphs import Described, Graph, on_cpu
from models.torchscript import scripted, traced
from models.translation.network import SequenceToSequence, beginnings, has_step, parts_of, shifted
from shapes.tokens import BEGIN, END, NO_TARGET, PADDING, UNKNOWN

NEVER = -100.0
"""The logarithm of the probability that is given to what is never written."""
TOLERANCE = 1e-4
"""Of logarithms of probabilities, states and memories."""


class Step(nn.Module):
    """A network's step, in logarithms of probabilities, for texts: marks but the end are never written."""

    def __init__(self, network: SequenceToSequence, num_tokens: int) -> None:
        super().__init__()
        self.network = network
        # `index_fill` cannot be exported from a loop.
        never = torch.tensor([PADDING, UNKNOWN, BEGIN])
        self.register_buffer("is_never_K", torch.isin(torch.arange(num_tokens), never))

    def forward(self, previous_N: Tensor, state: Tensor, memory: Tensor, is_token_NT: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms (N, K) of the probabilities of the next token, and the state to go on with."""
        logits_NK, state = self.network.step(previous_N, state, memory, is_token_NT)
        return self.allowed(logits_NK), state

    def allowed(self, logits: Tensor) -> Tensor:
        """Logarithms of the probabilities (..., K)."""
        return logits.log_softmax(dim=-1).masked_fill(self.get_buffer("is_never_K"), NEVER)


class _Loop(nn.Module):
    """Step after step, until all rows have ended or are as long as may be. Scripted, since it is as long as it takes.

    The step is traced beforehand.
    """

    def __init__(self, step: nn.Module, max_written: int) -> None:
        super().__init__()
        self.step = step
        self.max_written = max_written
        self.begin, self.end, self.none = BEGIN, END, NO_TARGET

    def forward(self, state: Tensor, memory: Tensor, is_token_NT: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, L), each row padded behind, and the mean of their log-probabilities (N,), the end's included."""
        previous_N = torch.zeros_like(is_token_NT[:, 0], dtype=torch.int64) + self.begin
        has_ended_N = torch.zeros_like(is_token_NT[:, 0])
        total_N = torch.zeros_like(is_token_NT[:, 0], dtype=torch.float32)
        count_N = torch.zeros_like(total_N)
        written_NL = previous_N[:, None][:, :0]
        place = 0
        while place < self.max_written and not bool(has_ended_N.all()):
            log_NK, state = self.step(previous_N, state, memory, is_token_NT)
            gain_N, previous_N = log_NK.max(dim=1)
            previous_N = torch.where(has_ended_N, torch.full_like(previous_N, self.end), previous_N)
            total_N = total_N + torch.where(has_ended_N, torch.zeros_like(gain_N), gain_N)
            count_N = count_N + (~has_ended_N).to(torch.float32)
            has_ended_N = has_ended_N | (previous_N == self.end)
            written_NL = torch.cat([written_NL, previous_N[:, None]], dim=1)
            place += 1
        answers_NL = torch.where(written_NL == self.end, torch.full_like(written_NL, self.none), written_NL)
        return answers_NL, total_N / count_N


class Greedy(nn.Module):
    """From raw tokens to the most probable token at each place."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        preprocess, translator = parts_of(network)
        self.preprocess, self.translator = preprocess, translator
        self.step = Step(translator, translator.num_written)
        with torch.inference_mode():
            sample = translator.sample()
            example = beginnings(sample), *translator.encode(sample)
        self.loop = scripted(_Loop(traced(self.step, example), translator.max_written))

    def forward(self, tokens_NT: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (N, L), padded behind, and each row's mean log-probability (N,)."""
        answers: tuple[Tensor, Tensor] = self.loop(*self.translator.encode(self.preprocess(tokens_NT)))
        return answers

    def following(self, inputs: tuple[Tensor, ...], answered: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """What would be answered by one that, where tokens are as good as equally probable, writes what another did.

        Which of two such tokens is written depends on the last bit, and all behind it on which.
        """
        (tokens_NT,), (theirs_NL, _) = inputs, answered
        count_N = (theirs_NL != NO_TARGET).sum(dim=1)
        ended_NL = torch.nn.functional.pad(theirs_NL, (0, 1), value=NO_TARGET)
        ended_NL[torch.arange(len(ended_NL)), count_N] = END
        ended_NL = ended_NL[:, : self.translator.max_written]
        log_NLK = self.step.allowed(self.translator(self.preprocess(tokens_NT), shifted(ended_NL)))
        best_NL, ours_NL = log_NLK.max(dim=2)
        log_NL = log_NLK.gather(2, ended_NL.clamp(min=0)[:, :, None])[:, :, 0]
        is_part_NL = ended_NL != NO_TARGET
        same_NL = torch.where(is_part_NL & (best_NL - log_NL > TOLERANCE), ours_NL, ended_NL)
        answers_NL = same_NL.masked_fill(same_NL == END, NO_TARGET)[:, : theirs_NL.shape[1]]
        return answers_NL, (log_NL * is_part_NL).sum(dim=1) / is_part_NL.sum(dim=1)


class _Encoder(nn.Module):
    """From raw tokens to the first state and, if it is looked at, the memory."""

    def __init__(self, greedy: Greedy) -> None:
        super().__init__()
        self.preprocess, self.translator = greedy.preprocess, greedy.translator

    def forward(self, tokens_NT: Tensor) -> tuple[Tensor, ...]:
        state, memory, _ = self.translator.encode(self.preprocess(tokens_NT))
        return (state, memory) if self.translator.attends else (state,)


class _Decoder(nn.Module):
    """One step; tokens are given once more, since padding is not looked at."""

    def __init__(self, greedy: Greedy) -> None:
        super().__init__()
        self.step = greedy.step

    def forward(self, previous_N: Tensor, state: Tensor, *seen: Tensor) -> tuple[Tensor, Tensor]:
        memory, tokens_NT = seen or (state, state)
        log_NK, state = self.step(previous_N, state, memory, has_step(tokens_NT) if seen else tokens_NT)
        return log_NK, state


def graphs_of(network: nn.Module, described: Described, output: Described, samples: Batch) -> dict[str, Graph]:
    """`model`, `encoder` and `decoder`; `output` describes the tokens that are answered."""
    network = on_cpu(network)
    greedy = Greedy(network).eval()
    tokens_NT = samples.inputs
    with torch.inference_mode():
        begun = _Encoder(greedy)(tokens_NT)
    state = {"name": "state", "dtype": "float32", "shape": list(begun[0].shape[1:])}
    seen = [{"name": "memory", "dtype": "float32", "shape": [None, begun[-1].shape[2]]}, described]
    attends = greedy.translator.attends
    step_inputs: list[dict[str, Any]] = [{"name": "previous", "dtype": "int64", "shape": []}, state]
    num_written = greedy.translator.num_written
    examples = torch.arange(len(tokens_NT)) % num_written, *begun, *((tokens_NT,) if attends else ())
    logs = {"name": "log_probabilities", "dtype": "float32", "shape": [num_written]}
    score = {"name": "score", "dtype": "float32", "shape": []}
    return {
        "model": Graph(
            greedy,
            [described],
            [output, score],
            (tokens_NT,),
            {output["name"]: 0.5, "score": TOLERANCE},
            greedy.following,
        ),
        "encoder": Graph(
            _Encoder(greedy).eval(),
            [described],
            [state, *seen[: 1 if attends else 0]],
            (tokens_NT,),
            {"state": TOLERANCE} | ({"memory": TOLERANCE} if attends else {}),
        ),
        "decoder": Graph(
            _Decoder(greedy).eval(),
            [*step_inputs, *(seen if attends else [])],
            [logs, state | {"name": "next_state"}],
            examples,
            {"log_probabilities": TOLERANCE, "next_state": TOLERANCE},
        ),
    }
