"""From a network's outputs to answers in the terms of its task."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from services.errors import Invalid
from services.pictures import to_png, to_png_quickly
from services.serving.rows import named
from services.serving.words import Words
from shapes.entities import entities, is_iob
from shapes.tokens import Tokenizer

Prediction = dict[str, Any]
Size = tuple[int, int]
"""(height, width) of an image."""
About = Sequence[Any]
"""What answers have to know of each input: of an image file its `Size`, of tokens to be tagged their `Words`."""
MAX_EXPONENT = 700.0
"""Beyond this an exponential is no longer a number."""
DEFAULT_TOP_K = 5
PICTURED = frozenset({"segmentation"})
"""Tasks whose answers are pictures."""


class Naming(NamedTuple):
    """How the answers of a classifier are named."""

    top_k: int = DEFAULT_TOP_K
    """Classes to name."""
    calibrated: bool = False
    """Whether the probabilities are those at the temperature that is kept with the version."""


AS_USUAL = Naming()
Answerer = Callable[[dict[str, Any], Sequence[np.ndarray], int, About], list[Prediction]]


def name_answers(
    signature: dict[str, Any],
    names: Sequence[str],
    outputs: Sequence[np.ndarray],
    top_k: int,
    about: About = (),
) -> list[Prediction]:
    """One prediction a row.

    Of a classifier the `top_k` best classes, of a regression a value, of a segmentation a mask as a PNG file and each
    class's share of its pixels, of a version that codes its input what it makes of the code, with its error and score,
    else all outputs. A mask has the size of its image in `about`; without sizes, the network's own.
    Of tagged tokens all with their labels, and the entities that these mark. Of a text that is written the text, and
    the mean log-probability of its tokens as `score`. Of a forecast a number for each step and, if the model has them,
    its quantiles.

    Raises `Invalid` naming the input whose answer is not a finite number.
    """
    answer = _ANSWERERS.get(signature["task"])
    if answer is not None:
        return answer(signature, outputs, top_k, about)
    for output in outputs:
        check_finite(output)
    rows = zip(*(output.tolist() for output in outputs), strict=True)
    return [{"outputs": dict(zip(names, row, strict=True))} for row in rows]


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """The probabilities (N, K) at a temperature T, p^(1/T) over its sum (Guo et al. 2017). One that is 0 is taken as
    float32's smallest, as when the temperature was fitted."""
    logits = np.log(probabilities.astype(np.float64).clip(np.finfo(np.float32).tiny)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return scaled


def mark_cut(items: list[Prediction], cut: Sequence[int]) -> None:
    """Say of the answers in these places that only the beginning of their text was read: they are `truncated`."""
    for index in cut:
        items[index]["truncated"] = True


def bytes_to_draw(signature: dict[str, Any], sizes: About) -> int:
    """The bytes of the pictures that a model's answers are, 0 where they are none."""
    return sum(height * width for height, width in sizes) if signature["task"] in PICTURED else 0


def _classes(signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About) -> list[Prediction]:
    labels = signature["labels"]
    return [_classified(index, row, labels, top_k) for index, row in enumerate(outputs[0].tolist())]


def _values(signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About) -> list[Prediction]:
    return [{"value": _finite(index, value)} for index, value in enumerate(outputs[0].reshape(-1).tolist())]


def _forecasts(signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About) -> list[Prediction]:
    (output,) = outputs
    check_finite(output)
    levels = signature["labels"]
    if levels is None:
        return [{"forecast": row} for row in output.tolist()]
    by_level = np.moveaxis(output, 2, 1).tolist()
    return [
        {"forecast": rows[len(levels) // 2], "quantiles": dict(zip(levels, rows, strict=True))} for rows in by_level
    ]


def _masks(signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About) -> list[Prediction]:
    check_finite(outputs[0])
    masks = outputs[0].argmax(axis=1).astype(np.uint8)
    return [
        _segmented(mask, signature["labels"], size)
        for mask, size in zip(masks, about or [masks.shape[1:]] * len(masks), strict=True)
    ]


def _reconstructions(
    signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About
) -> list[Prediction]:
    for output in outputs:
        check_finite(output)
    samples, errors, scores = outputs
    is_image = signature["modality"] == "image"
    items = [to_png_quickly(image) for image in samples] if is_image else named(samples, signature)
    return [
        {"image" if is_image else "row": item, "error": error, "score": score}
        for item, error, score in zip(items, errors.tolist(), scores.tolist(), strict=True)
    ]


def _tags(signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About) -> list[Prediction]:
    check_finite(outputs[0])
    return [_tagged(row, words, signature["labels"]) for row, words in zip(outputs[0], about, strict=True)]


def _probabilities_of_texts(
    signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About
) -> list[Prediction]:
    check_finite(outputs[0])
    return [
        {"log_probability": total, "tokens": count, "perplexity": math.exp(min(-total / count, MAX_EXPONENT))}
        for total, count in zip(*(output.tolist() for output in outputs), strict=True)
    ]


def _texts(signature: dict[str, Any], outputs: Sequence[np.ndarray], top_k: int, about: About) -> list[Prediction]:
    tokenizer, (tokens_NL, score_N) = Tokenizer.of(signature["output"]["tokenizer"]), outputs
    rows = zip(tokens_NL.tolist(), score_N.tolist(), strict=True)
    return [written_answer(index, tokens, score, tokenizer) for index, (tokens, score) in enumerate(rows)]


def written_answer(index: int, tokens: Sequence[int], score: float, tokenizer: Tokenizer) -> Prediction:
    """The text that was written for an input, and the mean log-probability of its tokens."""
    return {"text": tokenizer.text(tokens), "score": _finite(index, score)}


_ANSWERERS: dict[str, Answerer] = {
    "classification": _classes,
    "regression": _values,
    "segmentation": _masks,
    "forecasting": _forecasts,
    "tagging": _tags,
    "translation": _texts,
    "reconstruction": _reconstructions,
    "generation": _reconstructions,
    "text_generation": _probabilities_of_texts,
}


def _segmented(mask: np.ndarray, labels: Sequence[str], size: Size) -> Prediction:
    """By nearest neighbour: there is no class between two classes."""
    height, width = size
    fitted = np.asarray(Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST))
    shares = np.bincount(fitted.reshape(-1), minlength=len(labels)) / fitted.size
    return {
        "mask": to_png(fitted),
        "width": width,
        "height": height,
        "shares": dict(zip(labels, shares.tolist(), strict=True)),
    }


def _tagged(probabilities_TK: np.ndarray, words: Words, labels: Sequence[str]) -> Prediction:
    """Of the tokens that were read: those behind them, and padding, have no probabilities."""
    best = probabilities_TK.max(axis=1)
    read = [(begin, end) for (begin, end), _ in zip(words.spans, best[best > 0], strict=False)]
    tags = [labels[index] for index in probabilities_TK.argmax(axis=1)[: len(read)].tolist()]
    tokens = [
        {"text": words.text[begin:end], "label": tag, "probability": probability, "start": begin, "end": end}
        for (begin, end), tag, probability in zip(read, tags, best.tolist(), strict=False)
    ]
    if not is_iob(labels):
        return {"tokens": tokens}
    marked = [(found.label, read[found.begin][0], read[found.end - 1][1]) for found in entities(tags)]
    return {
        "tokens": tokens,
        "entities": [
            {"label": label, "text": words.text[begin:end], "start": begin, "end": end} for label, begin, end in marked
        ],
    }


def _classified(index: int, probabilities: list[float], labels: Sequence[str], top_k: int) -> Prediction:
    _finite(index, sum(probabilities))
    # Python's sort is stable, so that equal probabilities come in the order of the classes.
    order = sorted(range(len(probabilities)), key=probabilities.__getitem__, reverse=True)[:top_k]
    best = order[0]
    return {
        "label": labels[best],
        "index": best,
        "probability": probabilities[best],
        "top_k": [{"label": labels[place], "probability": probabilities[place]} for place in order],
    }


def check_finite(output: np.ndarray, field: str = "inputs") -> None:
    """Raise `Invalid` naming the first row of `field` whose answer JSON has no text for."""
    if output.dtype.kind == "f":
        for index in np.flatnonzero(~np.isfinite(output).reshape(len(output), -1).all(axis=1))[:1].tolist():
            _finite(index, math.nan, field)


def _finite(index: int, value: float, field: str = "inputs") -> float:
    if not math.isfinite(value):
        msg = "the model's answer is not a finite number; the input is far from what it was trained on"
        raise Invalid(
            "prediction_not_finite", f"{field}[{index}]: {msg}", [{"loc": ["body", field, index], "msg": msg}]
        )
    return value
