"""Subwords: pieces of words that are found in many, by byte-pair encoding (Sennrich et al. 2016) of sentencepiece.

Imported when it is first used: most models do without it. What was fitted is sentencepiece's own model, in base64.
"""

import base64
import io
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

BLANK = "▁"
"""What stands for a blank in a piece."""
MAX_TEXT_BYTES = 2**20
"""Longer texts are not fitted to."""


def fit(texts: Iterable[str], size: int) -> str:
    """What cuts texts into at most `size` different pieces.

    Raises:
        ValueError: the texts have more characters than that.
    """
    from sentencepiece import SentencePieceTrainer

    model = io.BytesIO()
    try:
        SentencePieceTrainer.train(
            sentence_iterator=iter(texts),
            model_writer=model,
            model_type="bpe",
            vocab_size=size + 1,  # and the unknown
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            max_sentence_length=MAX_TEXT_BYTES,
            num_threads=1,
            minloglevel=2,
            unk_id=0,
            bos_id=-1,
            eos_id=-1,
        )
    except RuntimeError as error:
        msg = f"{size} subwords are fewer than the different characters of the training texts; ask for more"
        raise ValueError(msg) from error
    return base64.b64encode(model.getvalue()).decode()


def known(fitted: str) -> list[str]:
    """The pieces, without the unknown."""
    processor = _processor(fitted)
    return [processor.id_to_piece(number) for number in range(1, processor.get_piece_size())]


def split(text: str, fitted: str) -> list[str]:
    """The pieces of a text, with what is not known as it stands there."""
    pieces: list[str] = _processor(fitted).encode(text, out_type=str)
    return pieces


@lru_cache(64)
def _processor(fitted: str) -> "SentencePieceProcessor":
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_proto=base64.b64decode(fitted))
